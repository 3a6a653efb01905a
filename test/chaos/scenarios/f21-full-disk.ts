import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Scenario } from '../harness/scenario.ts';
import { run } from '../network/chaos-network.ts';
import { diskStopsLeader } from './disk-stops-leader.ts';

export const fullDisk: Scenario = {
  faults: ['F21'],
  title: "the disk of the leader's Raft log is full",
  injects: "every node's folder is a tmpfs of 24 MiB; the leader's is filled up, later emptied",
  holds: 'I16: it stops rather than go on, another leads; it comes back when there is room',
  needs: ['mounts'],
  deadlineMs: 150_000,
  nodesEnd: true,
  async prepare({ cluster }) {
    for (const { id } of cluster.nodes) {
      mkdirSync(cluster.folderOf(id), { recursive: true });
      run('mount', '-t', 'tmpfs', '-o', 'size=24m', 'none', cluster.folderOf(id));
    }
  },
  async inject(fire) {
    const { cluster, say } = fire;
    const leader = await cluster.leader();
    const folder = cluster.folderOf(leader.id);
    say(`${leader.id}, the leader, has no room left`);
    fill(join(folder, 'filler'));
    await diskStopsLeader(fire, leader.id, () => rmSync(join(folder, 'filler')));
  },
};

/** Writes until there is no room for one more page. */
function fill(path: string): void {
  const file = openSync(path, 'a');
  try {
    for (;;) writeSync(file, Buffer.alloc(4_096));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  } finally {
    closeSync(file);
  }
}
