import { decodeRecords } from '@holdfast/lease';
import { pause } from '../../cluster/support/wait.ts';
import type { Judgement, Scenario } from '../harness/scenario.ts';
import type { History } from '../history/read-history.ts';
import { shuffled } from './draw.ts';

/** From the signal until the log shows that nothing is held any more: 1 s on a quiet machine, which this need not be. */
const releasedWithinMs = Number(process.env.HOLDFAST_CHAOS_RELEASED_MS ?? 5_000);

export const sigtermAtFullLoad: Scenario = {
  faults: ['F57'],
  title: 'SIGTERM at full load, of each node in turn',
  injects: 'SIGTERM while records come in at four times the rate; each node is started again before the next goes',
  holds:
    `I5, I6: it exits with 0, having released all its users within ${releasedWithinMs} ms (HOLDFAST_CHAOS_RELEASED_MS sets ` +
    'the limit); nothing of its own is left uncommitted',
  needs: [],
  deadlineMs: 120_000,
  mustSee: ['releasedMsMost'],
  async inject({ cluster, workload, rng, say, saw }) {
    workload.rateFactor = 4;
    for (const node of shuffled(rng, cluster.nodes)) {
      await cluster.holder(20);
      await pause(500);
      say(`SIGTERM ${node.id}`);
      const code = await node.signal('SIGTERM');
      if (code !== 0) throw new Error(`${node.id} ended a drain with code ${code}`);
      saw('drains');
      node.start();
      await cluster.whole();
    }
    workload.rateFactor = 1;
  },
  judge: (history) => releases(history),
};

/** How long after its signal each node's session ended in the log, cleanly. */
function releases({ events }: History): Judgement {
  const violations: string[] = [];
  const sessions = new Map<number, string>();
  const signalled = new Map<string, number>();
  let slowestMs = 0;
  const seenEntries = new Set<number>();
  for (const { event } of events) {
    if (event.k === 'fault') {
      const id = /^SIGTERM (\w+)$/.exec(event.text)?.[1];
      if (id !== undefined) signalled.set(id, event.t);
    }
    if (event.k !== 'entry' || event.data === '' || seenEntries.has(event.index)) continue;
    seenEntries.add(event.index);
    for (const record of decodeRecords(new Uint8Array(Buffer.from(event.data, 'base64')))) {
      if (record.kind === 'sessionOpened') sessions.set(event.index, record.nodeId);
      if (record.kind !== 'sessionEnded') continue;
      const node = sessions.get(record.session);
      const sinceUs = node === undefined ? undefined : signalled.get(node);
      if (node === undefined || sinceUs === undefined) continue;
      signalled.delete(node);
      const tookMs = (event.t - sinceUs) / 1_000;
      slowestMs = Math.max(slowestMs, tookMs);
      if (record.reason !== 'clean') violations.push(`the session of ${node} ended ${record.reason} after SIGTERM`);
      if (tookMs > releasedWithinMs)
        violations.push(`${node} had released all after ${Math.round(tookMs)} ms, ${releasedWithinMs} are its limit`);
    }
  }
  for (const node of signalled.keys()) violations.push(`the session of ${node} never ended after SIGTERM`);
  return { violations, seen: { releasedMsMost: Math.round(slowestMs) } };
}
