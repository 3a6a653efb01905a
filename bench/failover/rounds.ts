import { setTimeout as sleep } from 'node:timers/promises';
import type { NodeProcess } from '../../test/cluster/support/node-process.ts';
import { waitFor } from '../../test/cluster/support/wait.ts';
import type { FailoverCluster } from './failover-cluster.ts';
import { type NodeLine, NodeLines } from './node-lines.ts';

/** `follower`, `leader`: kill -9; `drain`: SIGTERM; `silence`: SIGSTOP; `partition`: any node, cut off from all others. */
export const roundKinds = ['follower', 'leader', 'drain', 'silence', 'partition'] as const;
export type RoundKind = (typeof roundKinds)[number];
type LossKind = 'follower' | 'leader' | 'silence';

/** What a loss has the others do again. */
export interface Repeats {
  /** Records in the log that no commit covered at the loss. */
  readonly notDurable: number;
  /** Records that were read by somebody before, and are read by the others after it. */
  readonly readAgain: number;
  /** Of these, records that the state of their user had already. */
  readonly deduplicated: number;
}

export interface Round {
  /** How long each user that the victim held had no holder; in drains and partitions, the longest that a record of it waited. */
  readonly heldMs: readonly number[];
  /** The same of users whose holder lived on: what the loss of a reader costs. */
  readonly othersMs: readonly number[];
  /** Until another node led; null where the leader lived on. */
  readonly leaderMs: number | null;
  /** Until the log's leader knew that the process was gone; null in drains, silence and partitions. */
  readonly provenMs: number | null;
  /** Null in drains and partitions. */
  readonly repeats: Repeats | null;
}

/** Longer than a session lives in silence. */
const giveUpMs = 40_000;
/** Between two records of each user while a node drains, and while it is cut off. */
const markEveryMs = { drain: 200, partition: 500 };
const marksMax = 100;

/** @param index of the round among those of its kind */
export function runRound(cluster: FailoverCluster, kind: RoundKind, index: number): Promise<Round> {
  if (kind === 'drain') return drainRound(cluster);
  return kind === 'partition' ? partitionRound(cluster, index) : lossRound(cluster, kind);
}

/** The victim's process ends, or stands still, and a record of every user is in the log at once. */
async function lossRound(failover: FailoverCluster, kind: LossKind): Promise<Round> {
  const mayDie = (node: NodeProcess, leader: string): boolean => (node.id === leader) === (kind === 'leader');
  const { victim, users, held } = await failover.newRound(mayDie);
  const lines = new NodeLines(failover.cluster.nodes);
  const { pid } = victim;
  const notDurable = await failover.notDurable();
  if (kind !== 'silence') failover.noteCpu(victim);
  const startUnixMs = Date.now();
  const gone = victim.signal(kind === 'silence' ? 'SIGSTOP' : 'SIGKILL');
  // In time: nobody reads anything again before the loss is known and an entry tells of it.
  const counting = failover.countsWithout(victim);
  const number = await failover.users.mark(users);
  const before = await counting;
  const isBack = (): boolean => {
    if (!failover.users.isApplied(users, number)) return false;
    return users.every((user) => failover.users.appliedAs(user, number)!.pid !== pid);
  };
  await waitFor('all users to be held again', giveUpMs, () => isBack() || null, 20);
  await gone;
  const after = await failover.countsWithout(victim);
  const tookMs = (of: readonly string[]): number[] =>
    of.map((user) => Math.max(0, failover.users.appliedAs(user, number)!.atUnixMs - startUnixMs));
  const seen = lines.read();
  if (kind === 'silence') await victim.signal('SIGCONT');
  else failover.startNode(victim);
  const proven = seen.find(({ msg }) => msg === 'the process of a session is gone');
  return {
    heldMs: tookMs(held),
    othersMs: tookMs(users.filter((user) => !held.includes(user))),
    leaderMs: electedMs(seen, startUnixMs),
    provenMs: proven === undefined ? null : proven.atUnixMs - startUnixMs,
    repeats: {
      notDurable,
      readAgain: after.read - before.read - users.length,
      deduplicated: after.duplicates - before.duplicates,
    },
  };
}

/** Any node, the leader too, drains and ends; records of every user keep coming, and none waits for long. */
async function drainRound(failover: FailoverCluster): Promise<Round> {
  const { victim, users, held } = await failover.newRound(() => true);
  failover.noteCpu(victim);
  const gone = victim.signal('SIGTERM');
  const waited = await markUntilTaken({ failover, victim, users, held }, markEveryMs.drain, () => !victim.running);
  if ((await gone) !== 0) throw new Error(`${victim.id} did not end clean`);
  failover.startNode(victim);
  return { ...waited, leaderMs: null, provenMs: null, repeats: null };
}

/**
 * No packet passes between one node, in turns each and so the leader too, and the others. It goes on with what it holds
 * and reads for as long as nobody else may; records of every user keep coming.
 */
async function partitionRound(failover: FailoverCluster, index: number): Promise<Round> {
  const { nodes } = failover.cluster;
  const { victim, users, held } = await failover.newRound((node) => node === nodes[index % nodes.length]);
  const lines = new NodeLines(nodes.filter((node) => node !== victim));
  const startUnixMs = Date.now();
  failover.cutOff(victim);
  const waited = await markUntilTaken({ failover, victim, users, held }, markEveryMs.partition, () => true);
  const leaderMs = electedMs(lines.read(), startUnixMs);
  failover.joinAll();
  return { ...waited, leaderMs, provenMs: null, repeats: null };
}

function electedMs(lines: readonly NodeLine[], startUnixMs: number): number | null {
  const elected = lines.find(({ msg, fields }) => msg === 'leadership' && fields.role === 'leader');
  return elected === undefined ? null : elected.atUnixMs - startUnixMs;
}

interface Taken {
  readonly failover: FailoverCluster;
  readonly victim: NodeProcess;
  readonly users: readonly string[];
  readonly held: readonly string[];
}

/** Feeds records of all users until others hold what the victim held, and all are applied. @returns what the longest of each waited */
async function markUntilTaken(
  { failover, victim, users, held }: Taken,
  everyMs: number,
  isOver: () => boolean,
): Promise<Pick<Round, 'heldMs' | 'othersMs'>> {
  const { pid } = victim;
  const marks: { readonly number: number; readonly atUnixMs: number }[] = [];
  const areApplied = (): boolean => marks.every(({ number }) => failover.users.isApplied(users, number));
  for (let i = 0; i < marksMax; i++) {
    const atUnixMs = Date.now();
    marks.push({ number: await failover.users.mark(users), atUnixMs });
    await sleep(everyMs);
    if (isOver() && held.every((user) => failover.users.holderOf(user)!.pid !== pid) && areApplied()) break;
  }
  if (!areApplied()) throw new Error('some marks were not applied in time');
  const waited = (user: string): number =>
    Math.max(...marks.map(({ number, atUnixMs }) => failover.users.appliedAs(user, number)!.atUnixMs - atUnixMs));
  return { heldMs: held.map(waited), othersMs: users.filter((user) => !held.includes(user)).map(waited) };
}
