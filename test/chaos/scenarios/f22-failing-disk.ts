import { pause, waitFor } from '../../cluster/support/wait.ts';
import { commandDisk } from '../disk/failing-disk.ts';
import type { Scenario } from '../harness/scenario.ts';
import { between, shuffled } from './draw.ts';
import { nobodyDied } from './nobody-died.ts';

export const failingDisk: Scenario = {
  faults: ['F22'],
  title: "a Raft log's disk can't sync, or be written",
  injects:
    "every fdatasync of the leader's Raft log fails with EIO; then, of the next leader's, every write with EROFS",
  holds: 'I16: it stops, and never goes on after trying again; another leads; it comes back on a disk that works',
  needs: ['compiler'],
  failingDisks: true,
  deadlineMs: 180_000,
  async inject({ cluster, rng, say, saw }) {
    for (const fault of shuffled(rng, ['eio', 'erofs'] as const)) {
      const leader = await cluster.leader();
      const others = cluster.others(leader.id).map(({ id }) => id);
      say(`${fault} for ${leader.id}, the leader`);
      commandDisk(cluster.runDir, leader.id, fault);
      const other = cluster.node(others[0]!);
      await other.signal('SIGKILL');
      other.start();
      await waitFor(`${leader.id} to stop`, 60_000, () => (leader.running ? null : true));
      if (leader.exitCode !== 1) throw new Error(`${leader.id} ended with code ${leader.exitCode}`);
      say(`it stopped: ${leader.output.trimEnd().split('\n').at(-1)?.slice(0, 300)}`);
      saw('stopped');
      await cluster.inStatus(
        'another leader',
        (status) => others.includes(status.cluster.leader ?? ''),
        30_000,
        others,
      );
      commandDisk(cluster.runDir, leader.id, 'well');
      leader.start();
      await cluster.whole();
    }
  },
};

export const slowDisk: Scenario = {
  faults: ['F26'],
  title: "syncs of a Raft log's disk take 1 to 3 s",
  injects: "the leader's disk for 12 s, then another node's",
  holds: 'I11, I18: nobody is taken for dead; whoever leads on, there is one; I5, I8',
  needs: ['compiler'],
  failingDisks: true,
  deadlineMs: 150_000,
  async inject({ cluster, rng, say, saw }) {
    const leader = await cluster.leader();
    for (const node of [leader, cluster.others(leader.id)[0]!]) {
      const endMs = performance.now() + 12_000;
      say(`syncs of ${node.id} take 1 to 3 s`);
      while (performance.now() < endMs) {
        commandDisk(cluster.runDir, node.id, `slow ${between(rng, 1_000, 3_000)}`);
        saw('slowSpells');
        await pause(1_000);
      }
      commandDisk(cluster.runDir, node.id, 'well');
      await cluster.whole();
    }
    nobodyDied(cluster);
  },
};
