import { cpSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { holdfast } from '../../cluster/support/holdfast.ts';
import { NodeProcess } from '../../cluster/support/node-process.ts';
import { pause, waitFor } from '../../cluster/support/wait.ts';
import { usualSession } from '../harness/chaos-cluster.ts';
import type { Fire, Scenario } from '../harness/scenario.ts';
import { shuffled } from './draw.ts';
import { sameSessions } from './same-sessions.ts';

/** Starts the node, and waits until it has ended by itself or has a session. @returns what it said last, if it ended */
async function startAndSee({ cluster }: Fire, node: NodeProcess): Promise<string | null> {
  const before = node.output.length;
  node.start();
  const heard = await waitFor(`${node.id} to refuse or to join`, 60_000, () => {
    if (!node.running) return 'ended';
    return node.output.slice(before).includes('"msg":"session open"') ? 'joined' : null;
  });
  if (heard === 'joined') return null;
  const last = node.output.slice(before).trimEnd().split('\n').at(-1)!;
  if (node.exitCode !== 1) throw new Error(`${node.id} ended with ${node.exitCode}: ${last}`);
  await cluster.inStatus('a leader', ({ cluster }) => cluster.leader !== null);
  return last;
}

/** @throws Error when it said another reason than that the name is somebody else's */
function refusedAsAnother(id: string, said: string): void {
  if (!said.includes('with another data folder')) throw new Error(`${id} is refused for another reason: ${said}`);
}

/** All but its lock, which is of the process that has it. */
function copyFolder(from: string, to: string): void {
  cpSync(from, to, { recursive: true, filter: (path) => !basename(path).startsWith('lock') });
}

export const wrongFolder: Scenario = {
  faults: ['F49'],
  title: 'a node on an old copy of its folder, and on that of another node',
  injects:
    "a node gets a copy of another one's folder; then its own is put back to how it was 10 s and many records ago",
  holds: 'I17: refused, or caught up without a second vote; the others go on',
  needs: [],
  deadlineMs: 200_000,
  nodesEnd: true,
  async inject(fire) {
    const { cluster, rng, say, saw } = fire;
    const [node, other, third] = shuffled(rng, cluster.nodes);
    const folder = cluster.folderOf(node!.id);
    const kept = join(cluster.runDir, 'kept');
    const old = join(cluster.runDir, 'old');
    await node!.signal('SIGKILL');
    copyFolder(folder, old);
    node!.start();
    await cluster.whole();
    // Votes and entries that the copy doesn't have.
    await third!.signal('SIGKILL');
    await pause(5_000);
    third!.start();
    await cluster.whole();
    await pause(5_000);

    await node!.signal('SIGKILL');
    copyFolder(folder, kept);
    rmSync(folder, { recursive: true });
    await other!.signal('SIGSTOP');
    copyFolder(cluster.folderOf(other!.id), folder);
    await other!.signal('SIGCONT');
    const foreign = await startAndSee(fire, node!);
    say(`${node!.id} on the folder of ${other!.id}: ${foreign === null ? 'joined' : `refused: ${foreign}`}`);
    if (foreign === null) throw new Error(`I17: ${node!.id} joined with the folder of ${other!.id}`);
    refusedAsAnother(node!.id, foreign);
    saw('foreignFolders');
    await node!.signal('SIGKILL');

    rmSync(folder, { recursive: true });
    copyFolder(kept, folder);
    const back = await startAndSee(fire, node!);
    if (back !== null) throw new Error(`${node!.id} is refused on its own folder: ${back}`);
    await cluster.whole();

    await node!.signal('SIGKILL');
    rmSync(kept, { recursive: true });
    copyFolder(folder, kept);
    rmSync(folder, { recursive: true });
    copyFolder(old, folder);
    const stale = await startAndSee(fire, node!);
    say(`${node!.id} on its old folder: ${stale === null ? 'caught up' : `refused: ${stale}`}`);
    saw('staleFolders');
    if (stale !== null) {
      // It has acknowledged nothing with the old one, so its own is still the newest.
      rmSync(folder, { recursive: true });
      copyFolder(kept, folder);
      const again = await startAndSee(fire, node!);
      if (again !== null) throw new Error(`${node!.id} is refused on its own folder: ${again}`);
    }
    await cluster.whole();
  },
};

export const wipedFolder: Scenario = {
  faults: ['F50'],
  title: 'a node whose folder was wiped comes back under its name',
  injects: 'its Raft log alone is lost; then its whole folder, and an operator says `node rm`',
  holds: 'I14, I17: it is a new member and never the voter that it was; refused until it is told otherwise',
  needs: [],
  deadlineMs: 200_000,
  nodesEnd: true,
  async inject(fire) {
    const { cluster, rng, say, saw } = fire;
    const [node] = shuffled(rng, cluster.nodes);
    const folder = cluster.folderOf(node!.id);
    const addr = cluster.peers.map(({ address }) => address).join();
    await node!.signal('SIGKILL');
    rmSync(join(folder, 'raft'), { recursive: true });
    say(`the Raft log of ${node!.id} is lost`);
    const first = await startAndSee(fire, node!);
    if (first !== null) throw new Error(`${node!.id} is refused: ${first}`);
    await cluster.inStatus(
      'three votes',
      ({ cluster }) => cluster.quorum.voters === 3 && cluster.quorum.reachable === 3,
    );
    saw('wipedLogs');
    await node!.signal('SIGKILL');
    rmSync(folder, { recursive: true });
    say(`the whole folder of ${node!.id} is lost`);
    const refused = await startAndSee(fire, node!);
    if (refused === null) throw new Error(`I17: ${node!.id} joined with a new folder under a known name`);
    refusedAsAnother(node!.id, refused);
    say(`refused: ${refused}`);
    const { code, stderr } = await holdfast(['node', 'rm', node!.id, '--wait', '60s', '--addr', addr]);
    if (code !== 0) throw new Error(`node rm ended with ${code}: ${stderr}`);
    node!.start();
    await cluster.inStatus(
      'three votes',
      ({ cluster }) => cluster.quorum.voters === 3 && cluster.quorum.reachable === 3,
    );
    saw('wipedFolders');
    await cluster.whole();
  },
};

export const twoOfOneName: Scenario = {
  faults: ['F51'],
  title: 'a second process of one node, under load',
  injects: 'the same configuration is started once more, three times, while the first runs',
  holds: 'I1: the second is refused, and the first goes on with its session',
  needs: [],
  cluster: { settings: { session: usualSession } },
  deadlineMs: 120_000,
  async inject(fire) {
    const { cluster, rng, say, saw } = fire;
    const before = await cluster.whole();
    for (const node of shuffled(rng, cluster.nodes)) {
      const twin = new NodeProcess(node.id, node.configPath, join(cluster.runDir, `${node.id}-twin.log`));
      twin.start();
      try {
        await waitFor('the twin to end', 60_000, () => (twin.running ? null : true));
      } finally {
        await twin.signal('SIGKILL');
      }
      const last = twin.output.trimEnd().split('\n').at(-1)!;
      say(`the twin of ${node.id} ended with ${twin.exitCode}: ${last}`);
      if (twin.exitCode !== 1 || !/is in use by process \d+/.test(last))
        throw new Error(`the twin of ${node.id} wasn't refused: ${last}`);
      saw('twinsRefused');
    }
    const after = await cluster.whole();
    sameSessions(before, after);
  },
};
