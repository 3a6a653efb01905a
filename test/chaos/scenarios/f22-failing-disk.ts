import { pause } from '../../cluster/support/wait.ts';
import { commandDisk, syncsAgain } from '../disk/failing-disk.ts';
import type { Judgement, Scenario } from '../harness/scenario.ts';
import type { History } from '../history/read-history.ts';
import { diskStopsLeader } from './disk-stops-leader.ts';
import { between, shuffled } from './draw.ts';
import { nobodyDies } from './nobody-died.ts';

export const failingDisk: Scenario = {
  faults: ['F22'],
  title: "a Raft log's disk can't sync, or be written",
  injects:
    "a sync of the leader's Raft log fails with EIO, and would succeed if it were tried again; then, of the next leader's, " +
    'every write fails with EROFS',
  holds: 'I16: it stops, and never syncs again; another leads; it comes back on a disk that works',
  needs: ['compiler'],
  disks: 'failing',
  deadlineMs: 180_000,
  nodesEnd: true,
  async inject(fire) {
    const { cluster, rng, say } = fire;
    for (const fault of shuffled(rng, ['eio', 'erofs'] as const)) {
      const leader = await cluster.leader();
      say(`${fault} for ${leader.id}, the leader`);
      commandDisk(cluster.runDir, leader.id, fault);
      await diskStopsLeader(fire, leader.id, () => {
        const again = syncsAgain(cluster.runDir, leader.id);
        if (again > 0) throw new Error(`I16: ${leader.id} has synced ${again} times after a sync that failed`);
        commandDisk(cluster.runDir, leader.id, 'well');
      });
    }
  },
};

export const slowDisk: Scenario = {
  faults: ['F26'],
  title: "syncs of a Raft log's disk take 1 to 3 s",
  injects: "the leader's disk for 12 s, then another node's",
  holds: 'I11, I18: nobody is taken for dead; whoever leads on, there is one; I5, I8',
  needs: ['compiler'],
  disks: 'failing',
  deadlineMs: 150_000,
  // Users come for the first time all the while: a disk to which nothing is written isn't slow.
  workload: { users: 3_000, zipfExponent: 0.4, recordsPerSec: 400 },
  mustSee: ['entriesWhileSlow'],
  async inject({ cluster, rng, say, saw }) {
    const leader = await cluster.leader();
    for (const node of [leader, cluster.others(leader.id)[0]!]) {
      const endMs = performance.now() + 12_000;
      say(slow(node.id));
      while (performance.now() < endMs) {
        commandDisk(cluster.runDir, node.id, `slow ${between(rng, 1_000, 3_000)}`);
        saw('slowSpells');
        await pause(1_000);
      }
      commandDisk(cluster.runDir, node.id, 'well');
      say(well(node.id));
      await cluster.whole();
    }
    await nobodyDies(cluster);
  },
  judge: (history) => writtenWhileSlow(history),
};

const slow = (id: string): string => `syncs of ${id} take 1 to 3 s`;
const well = (id: string): string => `syncs of ${id} take no time any more`;

/** The least number of entries that were applied first while some disk was slow: each of them was on its way to it. */
export function writtenWhileSlow({ events }: History): Judgement {
  const counts: number[] = [];
  const known = new Set<number>();
  let isSlow = false;
  for (const { event } of events) {
    if (event.k === 'fault') {
      const isBegin = event.text.endsWith(' take 1 to 3 s');
      if (isBegin) counts.push(0);
      if (isBegin || event.text.endsWith(' take no time any more')) isSlow = isBegin;
    }
    if (event.k !== 'entry' || known.has(event.index)) continue;
    known.add(event.index);
    if (isSlow) counts.push(counts.pop()! + 1);
  }
  return { violations: [], seen: { entriesWhileSlow: counts.length === 0 ? 0 : Math.min(...counts) } };
}
