import { mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { waitFor } from '../../cluster/support/wait.ts';
import type { Scenario } from '../harness/scenario.ts';
import { run } from '../network/chaos-network.ts';

export const fullDisk: Scenario = {
  faults: ['F21'],
  title: "the disk of the leader's Raft log is full",
  injects: "every node's folder is a tmpfs of 24 MiB; the leader's is filled up, later emptied",
  holds: 'I16: it stops rather than go on, another leads; it comes back when there is room',
  needs: ['mounts'],
  deadlineMs: 150_000,
  async prepare({ cluster }) {
    for (const { id } of cluster.nodes) {
      mkdirSync(cluster.folderOf(id), { recursive: true });
      run('mount', '-t', 'tmpfs', '-o', 'size=24m', 'none', cluster.folderOf(id));
    }
  },
  async inject({ cluster, say, saw }) {
    const leader = await cluster.leader();
    const folder = cluster.folderOf(leader.id);
    const filler = join(folder, 'filler');
    const { bavail, bsize } = statfsSync(folder);
    say(`${leader.id}, the leader, has no room left`);
    writeFileSync(filler, Buffer.alloc(bavail * bsize));
    const others = cluster.others(leader.id).map(({ id }) => id);
    // Something to write: the users of a node that dies are granted anew.
    const other = cluster.node(others[0]!);
    await other.signal('SIGKILL');
    other.start();
    await waitFor(`${leader.id} to stop`, 60_000, () => (leader.running ? null : true));
    if (leader.exitCode !== 1)
      throw new Error(`${leader.id} ended with code ${leader.exitCode}, and says: ${leader.output.slice(-500)}`);
    say(`it stopped: ${leader.output.trimEnd().split('\n').at(-1)}`);
    saw('stopped');
    await cluster.inStatus('another leader', (status) => others.includes(status.cluster.leader ?? ''), 30_000, others);
    rmSync(filler);
    leader.start();
    await cluster.whole();
  },
};
