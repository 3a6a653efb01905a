import { cpSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { LmdbRaftStorage } from '@holdfast/embedded';
import type { Rng } from '@holdfast/model';
import { waitFor } from '../../cluster/support/wait.ts';
import type { Fire, Scenario } from '../harness/scenario.ts';
import { between, oneOf } from './draw.ts';

const tries = 6;

/**
 * Starts a node on a Raft log that was damaged, again and again, each time from the same good one. It may refuse, or go
 * on if nothing of what it needs is hurt; what it then does is in the history, and judged.
 */
async function startOnDamaged(
  fire: Fire,
  damage: (path: string, nth: number) => string | Promise<string>,
): Promise<void> {
  const { cluster, rng, say, saw } = fire;
  const node = oneOf(rng, cluster.nodes);
  const raft = join(cluster.folderOf(node.id), 'raft');
  const good = join(cluster.runDir, `${node.id}-raft`);
  await node.signal('SIGKILL');
  cpSync(raft, good, { recursive: true });
  for (let i = 0; i < tries; i++) {
    rmSync(raft, { recursive: true });
    cpSync(good, raft, { recursive: true });
    const what = await damage(join(raft, 'data.mdb'), i);
    const before = node.output.length;
    node.start();
    const heard = await waitFor(`${node.id} to refuse or to join`, 60_000, async () => {
      if (!node.running) return 'ended';
      return node.output.slice(before).includes('"msg":"session open"') ? 'joined' : null;
    });
    const last = node.output.slice(before).trimEnd().split('\n').at(-1) ?? '';
    say(`${what}: ${node.id} ${heard}${heard === 'ended' ? ` (${node.exitCode}): ${last.slice(0, 240)}` : ''}`);
    saw(heard === 'ended' ? 'refused' : 'joined');
    if (heard === 'ended' && node.exitCode !== 1)
      throw new Error(`${what}: ${node.id} didn't refuse, it crashed: ${last.slice(0, 500)}`);
    await node.signal('SIGKILL');
    if (heard === 'joined') {
      rmSync(good, { recursive: true });
      cpSync(raft, good, { recursive: true });
    }
  }
  rmSync(raft, { recursive: true });
  cpSync(good, raft, { recursive: true });
  node.start();
  await cluster.whole();
}

export const tornLog: Scenario = {
  faults: ['F23'],
  title: 'the end of a Raft log is gone',
  injects: "a node's Raft log is cut short at random places, six times, and the node started on it",
  holds: 'I15, I16: it refuses, or has lost nothing that it had confirmed; never a crash without a word',
  needs: [],
  deadlineMs: 200_000,
  nodesEnd: true,
  // Of six random cuts some go through pages that are in use.
  mustSee: ['refused'],
  inject: (fire) =>
    startOnDamaged(fire, (path) => {
      const { size } = statSync(path);
      const left = between(fire.rng, 0, size - 1);
      truncateSync(path, left);
      return `${left} of ${size} bytes`;
    }),
};

export const bentLog: Scenario = {
  faults: ['F24'],
  title: 'bits of a Raft log flip',
  injects:
    "a node's Raft log is bent six times, and the node started on it: eight bits flip anywhere, or one of its last entry",
  holds:
    'I14, I17: it refuses where it is the entry; else it does, or what flipped is nothing that it reads; never a crash without a word',
  needs: [],
  deadlineMs: 200_000,
  nodesEnd: true,
  mustSee: [['refused', tries / 2]],
  inject: (fire) =>
    startOnDamaged(fire, async (path, nth) => {
      if (nth % 2 === 0) return bendLastEntry(path, fire.rng);
      const bytes = readFileSync(path);
      const places = Array.from({ length: 8 }, () => between(fire.rng, 0, bytes.length * 8 - 1));
      for (const bit of places) bytes[bit >> 3]! ^= 1 << (bit & 7);
      writeFileSync(path, bytes);
      return `bits ${places.map((bit) => `${bit >> 3}.${bit & 7}`).join()} of ${bytes.length} bytes`;
    }),
};

/** Flips a bit of the last entry that has some data, wherever LMDB has a copy of it. */
async function bendLastEntry(path: string, rng: Rng): Promise<string> {
  const storage = await LmdbRaftStorage.open(dirname(path));
  const { entries } = await storage.load().finally(() => storage.close());
  const entry = entries.findLast(({ data }) => data.length >= 16)!;
  const bytes = readFileSync(path);
  const bit = between(rng, 0, entry.data.length * 8 - 1);
  for (let at = bytes.indexOf(entry.data); at >= 0; at = bytes.indexOf(entry.data, at + 1))
    bytes[at + (bit >> 3)]! ^= 1 << (bit & 7);
  writeFileSync(path, bytes);
  return `bit ${bit} of entry ${entry.index}`;
}
