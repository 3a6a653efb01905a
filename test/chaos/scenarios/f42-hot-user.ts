import { pause } from '../../cluster/support/wait.ts';
import { sessionTtlMs } from '../harness/chaos-cluster.ts';
import type { Judgement, Scenario } from '../harness/scenario.ts';
import { coldWaits } from '../history/cold-waits.ts';
import type { History } from '../history/read-history.ts';

/** Half of all records of the others are applied so soon, also on a busy machine: they don't queue behind the hot user. */
const usualWaitMs = 1_000;
/** And the last of them, also when their holder was killed with the hot user's and its crash has to be proven. */
const waitMsMax = 2 * sessionTtlMs;
/** Of the workload's nine tenths. */
const hotRatioMin = 0.85;
const begun = 'four times the rate';
const ended = 'once the rate';

export const hotUser: Scenario = {
  faults: ['F42'],
  title: 'one user has 90 % of the traffic',
  injects: 'nine of ten records are of one user, at four times the rate for 15 s; its holder is killed meanwhile',
  holds:
    'I7, I21: its records count in order and once; all the while, half of the records of the others are applied within ' +
    `${usualWaitMs} ms, and each within ${waitMsMax} ms`,
  needs: [],
  deadlineMs: 120_000,
  workload: { hotRatio: 0.9 },
  mustSee: ['coldRecords'],
  async inject({ cluster, workload, say, saw }) {
    workload.rateFactor = 4;
    say(begun);
    await pause(6_000);
    const status = await cluster.whole();
    const hot = status.nodes
      .flatMap(({ shards }) => shards.flatMap((shard) => shard.hot))
      .sort((a, b) => b.share - a.share)[0];
    saw('hotSharePercent', Math.round((hot?.share ?? 0) * 100));
    const holder = status.nodes.find(({ shards }) =>
      shards.some((shard) => shard.hot.some(({ unit }) => unit === hot?.unit)),
    )!;
    const node = cluster.node(holder.id);
    say(`kill -9 ${node.id}, its holder`);
    await node.signal('SIGKILL');
    node.start();
    await cluster.whole();
    await pause(6_000);
    workload.rateFactor = 1;
    say(ended);
  },
  judge: (history) => othersServed(history),
};

/** The others are held and served while one user has most of the traffic. */
function othersServed(history: History): Judgement {
  const timeOf = (text: string): number =>
    history.events.find(({ event }) => event.k === 'fault' && event.text === text)?.event.t ?? Number.NaN;
  const { hotRatio, waitsMs, unserved } = coldWaits(history, timeOf(begun), timeOf(ended));
  const usualMs = Math.round(waitsMs[waitsMs.length >> 1] ?? Number.NaN);
  const longestMs = Math.round(waitsMs.at(-1) ?? Number.NaN);
  const violations: string[] = [];
  if (hotRatio < hotRatioMin) violations.push(`nothing shown: the busiest user has ${hotRatio} of the records`);
  if (unserved > 0) violations.push(`${unserved} records of other users were never applied`);
  if (!(usualMs <= usualWaitMs))
    violations.push(
      `half of the records of other users wait for more than ${usualMs} ms, ${usualWaitMs} is their limit`,
    );
  if (!(longestMs <= waitMsMax))
    violations.push(`a record of another user waited for ${longestMs} ms, ${waitMsMax} is its limit`);
  return { violations, seen: { coldRecords: waitsMs.length, coldWaitMsMedian: usualMs, coldWaitMsMost: longestMs } };
}
