import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pause } from '../../cluster/support/wait.ts';
import { journalsPath } from '../disk/disks.ts';
import { commandDisk } from '../disk/failing-disk.ts';
import { cutPower } from '../disk/unsynced-writes.ts';
import type { Fire, Scenario } from '../harness/scenario.ts';
import { between, oneOf } from './draw.ts';

const roundsOfOne = 4;
const roundsOfAll = 3;
/** In the log when all power goes, so that nodes are at work. */
const backlogRecords = 4_000;

export const powerCuts: Scenario = {
  faults: ['F25'],
  title: 'power cuts: what no sync covers is lost',
  injects:
    "the leader is killed while its syncs are late, and its Raft log loses what isn't synced, all of it or sectors drawn by " +
    'chance, four times; then all nodes at once with their Raft logs, log and store, three times',
  holds: 'I5, I6, I11, I14, I15, I16, P6: whatever was promised had been synced; every node starts again',
  needs: ['compiler'],
  disks: 'losing',
  deadlineMs: 240_000,
  // Users come for the first time all the while: where nothing is written, nothing is lost.
  workload: { users: 4_000, zipfExponent: 0.3, recordsPerSec: 400 },
  mustSee: ['cutsOfOneThatLost', 'cutsOfAllThatLost'],
  async inject(fire) {
    for (let i = 0; i < roundsOfOne; i++) await cutLeader(fire);
    for (let i = 0; i < roundsOfAll; i++) await cutAll(fire);
  },
};

async function cutLeader(fire: Fire): Promise<void> {
  const { cluster, workload } = fire;
  const leader = await cluster.leader();
  await lateSyncs(fire, [leader.id]);
  await workload.burst(500);
  await dieSoon(fire, [leader.id]);
  // Another machine's log and store keep what the leader has written to them.
  const lost = lose(fire, [join(cluster.folderOf(leader.id), 'raft', 'data.mdb')]);
  fire.say(`power cut of ${leader.id}, the leader: ${lost} sectors lost`);
  fire.saw('cutsOfOneThatLost', lost > 0 ? 1 : 0);
  await startAgain(fire, [leader.id]);
}

async function cutAll(fire: Fire): Promise<void> {
  const { cluster, workload } = fire;
  const ids = cluster.nodes.map(({ id }) => id);
  // The harness has power all the while: it writes nothing that rests upon what is lost.
  await workload.stop();
  await workload.burst(backlogRecords);
  await lateSyncs(fire, ids);
  await dieSoon(fire, ids);
  const lost = lose(fire, lmdbFilesBelow(cluster.dataDir));
  fire.say(`power cut of all: ${lost} sectors lost`);
  fire.saw('cutsOfAllThatLost', lost > 0 ? 1 : 0);
  workload.start();
  await startAgain(fire, ids);
}

async function lateSyncs({ cluster, rng }: Fire, ids: readonly string[]): Promise<void> {
  for (const id of ids) commandDisk(cluster.runDir, id, `slow ${between(rng, 20, 300)}`);
}

async function dieSoon({ cluster, rng }: Fire, ids: readonly string[]): Promise<void> {
  await pause(between(rng, 200, 1_500));
  await Promise.all(ids.map((id) => cluster.node(id).signal('SIGKILL')));
}

function lose({ cluster, rng }: Fire, paths: readonly string[]): number {
  const keeps = oneOf(rng, ['none', 'some'] as const);
  return paths.reduce((sum, path) => sum + cutPower(path, journalsPath(cluster.runDir), keeps, rng), 0);
}

async function startAgain({ cluster, rng }: Fire, ids: readonly string[]): Promise<void> {
  await pause(between(rng, 0, 1_000));
  for (const id of ids) {
    commandDisk(cluster.runDir, id, 'well');
    cluster.node(id).start();
  }
  await cluster.whole().catch((cause: unknown) => {
    throw new Error(`I8: ${ids.join()} can't go on after the power cut`, { cause });
  });
}

function lmdbFilesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name === 'data.mdb')
    .map(({ parentPath, name }) => join(parentPath, name))
    .sort();
}
