import { setTimeout as sleep } from 'node:timers/promises';
import type { NodeProcess } from '../../test/cluster/support/node-process.ts';
import { waitFor } from '../../test/cluster/support/wait.ts';
import type { FailoverCluster } from './failover-cluster.ts';
import { NodeLines } from './node-lines.ts';

/** `follower`, `leader`: kill -9; `drain`: SIGTERM; `silence`: SIGSTOP. */
export const roundKinds = ['follower', 'leader', 'drain', 'silence'] as const;
export type RoundKind = (typeof roundKinds)[number];

export interface Round {
  /** How long each user that the victim held had no holder; in a drain, the longest that a record of it waited. */
  readonly heldMs: readonly number[];
  /** The same of users whose holder lived on: what the loss of a reader costs. */
  readonly othersMs: readonly number[];
  /** Until another node led; null where the leader lived on. */
  readonly leaderMs: number | null;
  /** Until the log's leader knew that the process was gone; null in drains and silence. */
  readonly provenMs: number | null;
}

/** Longer than a session lives in silence. */
const giveUpMs = 40_000;
/** Between two records of each user while a node drains. */
const markEveryMs = 200;
const drainMarksMax = 100;

export function runRound(cluster: FailoverCluster, kind: RoundKind): Promise<Round> {
  return kind === 'drain' ? drainRound(cluster) : lossRound(cluster, kind);
}

/** The victim's process ends, or stands still, and a record of every user is in the log at once. */
async function lossRound(failover: FailoverCluster, kind: 'follower' | 'leader' | 'silence'): Promise<Round> {
  const mayDie = (node: NodeProcess, leader: string): boolean => (node.id === leader) === (kind === 'leader');
  const { victim, users, held } = await failover.newRound(mayDie);
  const lines = new NodeLines(failover.cluster.nodes);
  if (kind !== 'silence') failover.noteCpu(victim);
  const { pid } = victim;
  const startUnixMs = Date.now();
  const gone = victim.signal(kind === 'silence' ? 'SIGSTOP' : 'SIGKILL');
  const number = await failover.users.mark(users);
  const isBack = (): boolean => {
    if (!failover.users.isApplied(users, number)) return false;
    return users.every((user) => failover.users.appliedAs(user, number)!.pid !== pid);
  };
  await waitFor('all users to be held again', giveUpMs, () => isBack() || null, 20);
  await gone;
  const tookMs = (of: readonly string[]): number[] =>
    of.map((user) => Math.max(0, failover.users.appliedAs(user, number)!.atUnixMs - startUnixMs));
  const seen = lines.read();
  if (kind === 'silence') await victim.signal('SIGCONT');
  else failover.startNode(victim);
  const elected = seen.find(({ msg, fields }) => msg === 'leadership' && fields.role === 'leader');
  const proven = seen.find(({ msg }) => msg === 'the process of a session is gone');
  return {
    heldMs: tookMs(held),
    othersMs: tookMs(users.filter((user) => !held.includes(user))),
    leaderMs: elected === undefined ? null : elected.atUnixMs - startUnixMs,
    provenMs: proven === undefined ? null : proven.atUnixMs - startUnixMs,
  };
}

/** Any node, the leader too, drains and ends; records of every user keep coming, and none waits for long. */
async function drainRound(failover: FailoverCluster): Promise<Round> {
  const { victim, users, held } = await failover.newRound(() => true);
  const { pid } = victim;
  const marks: { readonly number: number; readonly atUnixMs: number }[] = [];
  failover.noteCpu(victim);
  const gone = victim.signal('SIGTERM');
  for (let i = 0; i < drainMarksMax; i++) {
    const atUnixMs = Date.now();
    marks.push({ number: await failover.users.mark(users), atUnixMs });
    await sleep(markEveryMs);
    const isOver = !victim.running && held.every((user) => failover.users.holderOf(user)!.pid !== pid);
    if (isOver && marks.every(({ number }) => failover.users.isApplied(users, number))) break;
  }
  if ((await gone) !== 0) throw new Error(`${victim.id} did not end clean`);
  const waited = (user: string): number =>
    Math.max(...marks.map(({ number, atUnixMs }) => failover.users.appliedAs(user, number)!.atUnixMs - atUnixMs));
  const notApplied = marks.filter(({ number }) => !failover.users.isApplied(users, number));
  if (notApplied.length > 0) throw new Error(`${notApplied.length} marks of a drain were not applied in time`);
  failover.startNode(victim);
  return {
    heldMs: held.map(waited),
    othersMs: users.filter((user) => !held.includes(user)).map(waited),
    leaderMs: null,
    provenMs: null,
  };
}
