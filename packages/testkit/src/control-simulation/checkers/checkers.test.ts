import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeRecords, type LeaseRecord } from '@holdfast/lease';
import { nodeId, type SessionId, type ShardIndex, type TopicId } from '@holdfast/model';
import { emptyRestored, type RaftEntry, type RaftMessage, simpleConf } from '@holdfast/raft';
import { CommittedLog } from '../../simulation/checkers/committed-log.ts';
import { Durability } from '../../simulation/checkers/durability.ts';
import { EpochsRise } from '../../simulation/checkers/epochs-rise.ts';
import { GoneSessions } from '../../simulation/checkers/gone-sessions.ts';
import { HardStates } from '../../simulation/checkers/hard-state.ts';
import { LeaderCompleteness } from '../../simulation/checkers/leader-completeness.ts';
import { LeaseModel } from '../../simulation/checkers/lease-model.ts';
import { LeaseService } from '../../simulation/checkers/lease-service.ts';
import { LogMatching } from '../../simulation/checkers/log-matching.ts';
import { MembershipViews } from '../../simulation/checkers/membership-views.ts';
import { OneLeader } from '../../simulation/checkers/one-leader.ts';
import { OneVote } from '../../simulation/checkers/one-vote.ts';
import { SameCommands } from '../../simulation/checkers/same-commands.ts';
import { SessionTimes } from '../../simulation/checkers/session-times.ts';
import { StaleHolders } from '../../simulation/checkers/stale-holders.ts';
import { watched } from '../../simulation/checkers/test-watch.test.ts';
import { isTrueView } from '../../simulation/checkers/views-become-true.ts';
import type { VirtualProcess } from '../../simulation/virtual-process.ts';
import type { SimulatedShard } from '../simulated-shard.ts';
import { OneHolder } from './one-holder.ts';

const entry = (index: number, term: number, data = Uint8Array.of(1)): RaftEntry => ({
  index,
  term,
  kind: 'data',
  data,
});
const diskOf = (term: number, ...entries: RaftEntry[]) => ({
  ...emptyRestored,
  hardState: { term, vote: null as string | null, commit: 0 },
  entries,
});
const heartbeat = (from: string, term: number): RaftMessage => ({
  type: 'heartbeat',
  from,
  to: 'x',
  term,
  commit: 0,
  readRound: 0,
});
const vote = (from: string, to: string, term: number): RaftMessage => ({
  type: 'voteReply',
  from,
  to,
  term,
  granted: true,
  commit: 0,
  commitTerm: 0,
});
const acked = (from: string, term: number, index: number): RaftMessage => ({
  type: 'appendReply',
  from,
  to: 'x',
  term,
  reject: false,
  index,
  hintIndex: 0,
  hintTerm: 0,
});

test('I11', () => {
  const { report, saw, sawNothing } = watched();
  const checker = new OneLeader(report);
  assert.equal(checker.onSent(heartbeat('a', 1)), true);
  assert.equal(checker.onSent(heartbeat('a', 1)), false);
  checker.onSent(heartbeat('b', 2));
  sawNothing();
  checker.onSent(heartbeat('a', 2));
  saw('I11');
});

test('I12', () => {
  const { report, saw, sawNothing } = watched();
  const checker = new LogMatching(report);
  const [one, two] = [entry(1, 1), entry(2, 2)];
  checker.onSynced('a', [one, two], diskOf(2, one, two));
  checker.onSynced('b', [two], diskOf(2, one, two));
  sawNothing();
  checker.onSynced('c', [two], diskOf(2, entry(1, 2), two));
  saw('I12');
});

const opened = (id: string, counter: number): LeaseRecord => ({
  kind: 'sessionOpened',
  nodeId: nodeId(id),
  uuid: `folder-of-${id}`,
  counter,
  shards: 1,
  addresses: ['x', 'y'],
  version: '0',
});
const granted = (session: number, ...units: number[]): LeaseRecord => ({
  kind: 'granted',
  session: session as SessionId,
  shard: 0 as ShardIndex,
  units: Uint32Array.from(units),
});

/** A log of one list of records per entry, from index 1 on, all of term 1. */
function logOf(report: (text: string) => void, ...lists: LeaseRecord[][]) {
  const model = new LeaseModel(report);
  const entries = lists.map((records, i) => entry(i + 1, 1, Uint8Array.from(encodeRecords(records))));
  const log = new CommittedLog(report, (index, { records }) => {
    for (const record of records) model.apply(record, index, index);
    model.compare(log.table, index);
  });
  log.committedAt('a', entries.length, diskOf(1, ...entries), 0);
  return { log, model, entries };
}

const base: LeaseRecord = { kind: 'epochBase', base: 100 };

test('I1 of the table: the model follows the shipped rules, and sees another table', () => {
  const { report, saw, sawNothing } = watched();
  const topic: LeaseRecord = { kind: 'topicSet', topic: 't', topicId: 'T' as TopicId, partitions: 2 };
  const { log, model } = logOf(
    report,
    [base],
    [opened('a', 1)],
    [granted(2, 1, 1, 2, 2)],
    [opened('a', 2)],
    [granted(4, 1, 1), granted(4, 2, 2)],
    [granted(4, 1, 1)],
    [topic],
  );
  assert.equal(model.units.size, 2);
  sawNothing();
  model.uncleanCount--;
  model.compare(log.table, 7);
  saw('I1');
});

test('I4', () => {
  const { report, saw, sawNothing } = watched();
  const { log } = logOf(report, [base], [opened('a', 1)], [granted(2, 1, 1)]);
  new EpochsRise(report, 100).afterEntry(log.table);
  sawNothing();
  new EpochsRise(report, 103).afterEntry(log.table);
  sawNothing();
  new EpochsRise(report, 104).afterEntry(log.table);
  saw('I4');
});

test('I13, I14 and what is not there', () => {
  const { report, saw, sawNothing } = watched();
  const { log, entries } = logOf(report, [base], [opened('a', 1)]);
  new LeaderCompleteness(report, log).onNewLeader('b', 2, diskOf(2, ...entries));
  new SameCommands(report, log).checkDisk('b', 1, 2, diskOf(2, ...entries));
  sawNothing();
  new LeaderCompleteness(report, log).onNewLeader('c', 2, diskOf(2, entries[0]!));
  saw('I13');
  new SameCommands(report, log).checkDisk('c', 1, 2, diskOf(2, entries[0]!, entry(2, 1)));
  saw('I14');
  log.committedAt('c', 3, diskOf(2, ...entries), 0);
  saw('I16');
});

test('I13: whoever was elected before an old entry was committed, and learns of it late, need not have it', () => {
  const { report, saw, sawNothing } = watched();
  const log = new CommittedLog(report, () => {});
  const nothing = new Uint8Array(0);
  const entries = [entry(1, 1, nothing), entry(2, 1, nothing)] as const;
  log.committedAt('a', 1, diskOf(1, ...entries), 0);
  log.committedAt('a', 2, diskOf(6, ...entries), 0);
  const lateLeader = (term: number, ...held: (typeof entries)[number][]) =>
    new LeaderCompleteness(report, log).onNewLeader('b', term, diskOf(term, ...held));
  lateLeader(4, entries[0]);
  sawNothing();
  lateLeader(7, entries[0]);
  saw('I13');
  lateLeader(4);
  saw('I13');
});

test('I15', () => {
  const { report, saw, sawNothing } = watched();
  const checker = new HardStates(report);
  checker.onSent(heartbeat('a', 3));
  checker.onSent(heartbeat('b', 2));
  checker.onSynced('a', diskOf(1), diskOf(2));
  checker.onStarted('a', { term: 2, vote: null, commit: 5 }, { term: 2, commit: 5 });
  sawNothing();
  checker.onSent(heartbeat('a', 2));
  saw('I15');
  checker.onSynced('a', diskOf(2), diskOf(1));
  saw('I15');
  checker.onStarted('a', { term: 2, vote: null, commit: 5 }, { term: 2, commit: 4 });
  saw('I15');
});

test('I16', () => {
  const { report, saw, sawNothing } = watched();
  const checker = new Durability(report);
  const disk = diskOf(1, entry(1, 1), entry(2, 1));
  checker.onSent(acked('a', 1, 1), disk);
  checker.onSent(vote('a', 'b', 1), { ...disk, hardState: { term: 1, vote: 'b', commit: 0 } });
  const conf = simpleConf(['a', 'b', 'c']);
  checker.onCommitted(2, 1, [conf], (member) => (member === 'c' ? emptyRestored : disk));
  checker.onCommitted(2, 1, [conf, simpleConf(['a'])], (member) => (member === 'a' ? disk : emptyRestored));
  sawNothing();
  checker.onSent(acked('a', 1, 3), disk);
  saw('I16');
  checker.onSent(vote('a', 'b', 1), disk);
  saw('I16');
  checker.onSent(heartbeat('a', 2), disk);
  saw('I16');
  checker.onCommitted(2, 1, [conf], (member) => (member === 'a' ? disk : emptyRestored));
  saw('I16');
  const joint = { ...conf, votersOutgoing: ['a', 'd', 'e'] };
  checker.onCommitted(2, 1, [joint], (member) => (member === 'd' || member === 'e' ? emptyRestored : disk));
  saw('I16');
});

test('I17', () => {
  const { report, saw, sawNothing } = watched();
  const checker = new OneVote(report);
  checker.onSent(vote('a', 'b', 1));
  checker.onSent(vote('a', 'b', 1));
  checker.onSent(vote('a', 'c', 2));
  sawNothing();
  checker.onSent(vote('a', 'c', 1));
  saw('I17');
});

/** As much of a process as the checkers ask for. */
const processAt = (ownMs: number, isPrompt = true): VirtualProcess =>
  ({ monotonicMs: () => ownMs, isPrompt: () => isPrompt }) as unknown as VirtualProcess;

const lease = { sessionTtlMs: 12_000, holderStopMs: 9_000, leaderWaitFactor: 1.1 } as never;

test('I1 and I10 of sessions in time', () => {
  const { report, saw, sawNothing } = watched();
  const { model } = logOf(report, [base], [opened('a', 1)]);
  const checker = new SessionTimes(report, model, lease, 0.05);
  checker.onProof(2, { sentAtMs: 1_000, sentAtOwnMs: 50_000 });
  checker.onHolding('a', processAt(59_050), 2);
  checker.onHolding('a', processAt(70_000, false), 2);
  checker.onExpired(2, 14_000);
  sawNothing();
  checker.onHolding('a', processAt(59_200), 2);
  saw('I1');
  checker.onHolding('a', processAt(0), 3);
  saw('I1');
  checker.onExpired(2, 13_000);
  saw('I10');
  model.apply({ kind: 'sessionEnded', session: 2 as SessionId, reason: 'expired' }, 3, 20_000);
  checker.onProof(2, { sentAtMs: 19_000, sentAtOwnMs: 0 });
  sawNothing();
  checker.onProof(2, { sentAtMs: 21_000, sentAtOwnMs: 0 });
  saw('I10');
});

test('I8 and I10 of holders whose table stands still', () => {
  const { report, saw, sawNothing } = watched();
  const entries = [0, 1_000, 20_000].map((atMs) => ({ atMs })) as never;
  const checker = new StaleHolders(report, { entries }, lease, 0.05);
  const at = (worldMs: number, tableIndex: number, isPrompt = true) =>
    checker.onHolding('a', { worldMs, isPrompt: () => isPrompt } as unknown as VirtualProcess, 5, tableIndex);
  at(10_000, 1);
  at(54_000, 1);
  at(900_000, 2);
  at(60_000, 1, false);
  // Counts from when it holds, and has to have seen some that lack something for long.
  at(44_000, 0);
  sawNothing();
  assert.equal(checker.stale, 1);
  at(44_300, 0);
  saw('I8');
  at(54_300, 1);
  saw('I8');
  checker.onRefused(5, 1, 32_000);
  sawNothing();
  checker.onRefused(5, 1, 31_000);
  saw('I10');
  checker.onRefused(5, 2, 90_000);
  saw('I10');
});

test('I10 of sessions whose process is gone', () => {
  const { report, saw, sawNothing } = watched();
  const { model } = logOf(report, [base], [opened('a', 1)]);
  let lives = false;
  const checker = new GoneSessions(report, model, () => lives);
  const end = (session: number, reason: 'gone' | 'expired') =>
    checker.beforeRecord({ kind: 'sessionEnded', session: session as SessionId, reason });
  end(2, 'gone');
  sawNothing();
  assert.equal(checker.count, 1);
  lives = true;
  end(2, 'expired');
  end(9, 'gone');
  sawNothing();
  end(2, 'gone');
  saw('I10');
});

test('I1 of shards', () => {
  const { report, saw, sawNothing } = watched();
  const checker = new OneHolder(report, new LeaseModel(report));
  const shard = (id: string, epoch: number): SimulatedShard =>
    ({
      settings: { nodeId: id, index: 0, process: processAt(0), units: [{ hi: 1, lo: 1 }] },
      open: new Map([[0, epoch]]),
      session: 1,
      isEnded: false,
    }) as unknown as SimulatedShard;
  const [a, b] = [shard('a', 101), shard('b', 102)];
  checker.onOpened(a, 0, 101);
  checker.onActed(a, 0, 101);
  checker.onClosed(a, 0);
  checker.onOpened(b, 0, 102);
  checker.onActed(b, 0, 102);
  sawNothing();
  checker.onOpened(b, 0, 101);
  saw('I1');
  const c = shard('c', 103);
  checker.onOpened(c, 0, 103);
  checker.onActed(c, 0, 103);
  saw('I1');
});

test('I10 of reads and answers', () => {
  const { report, saw, sawNothing } = watched();
  const { log, model } = logOf(report, [base], [opened('a', 1)], [granted(2, 1, 1)]);
  const checker = new LeaseService(report, log, model);
  checker.onApplied(3);
  checker.onRead('a', log.table, checker.seenIndex, { hi: 1, lo: 1 });
  checker.onOpened(nodeId('a'), 2, 1);
  checker.onAnswered(nodeId('a'), 'units.acquire', 3);
  sawNothing();
  checker.onRead('a', log.table, 4, { hi: 1, lo: 1 });
  saw('I10');
  checker.onOpened(nodeId('a'), 3, 1);
  saw('I10');
  checker.onAnswered(nodeId('a'), 'units.acquire', 4);
  saw('I10');
  checker.onEnded(nodeId('a'), 2);
  saw('I10');
  model.units.clear();
  checker.onRead('a', log.table, 3, { hi: 1, lo: 1 });
  saw('I10');
});

test('I18', () => {
  const { report, saw, sawNothing } = watched();
  const checker = new MembershipViews(report);
  const [a, b] = [nodeId('a'), nodeId('b')];
  const view = new Map([[b, { address: 'x', start: 1, state: 'dead' as const, misses: 20 }]]);
  for (const id of [a, b]) checker.note(id, true, 0);
  checker.check(a, view, 10_000);
  sawNothing();
  checker.check(a, view, 20_000);
  saw('I18');
  assert.equal(isTrueView(a, view, new Map([[b, null]])), true);
  assert.equal(isTrueView(a, view, new Map([[b, 'x']])), false);
});
