import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type NodeId, nodeId, SeededRng, silentLogger } from '@holdfast/model';
import type { ConfState, RaftEntry } from '@holdfast/raft';
import { delay } from '../ports/timers.ts';
import { type CompactionRule, snapshotsBehindMax } from './log-compaction.ts';
import { MemoryRaftStorage } from './memory-ports.test.ts';
import { RaftDriver } from './raft-driver.ts';
import { RaftDriverError } from './raft-driver-error.ts';
import type { StateMachine } from './state-machine.ts';
import { MemoryNetwork, VirtualTime } from './virtual-network.test.ts';

/** A list of numbers: each entry's first byte. */
class ListMachine implements StateMachine {
  list: number[] = [];
  shownIndex = 0;
  restoredCount = 0;
  apply(entry: RaftEntry): void {
    if (entry.data.length > 0) this.list.push(entry.data[0]!);
  }
  applied(index: number): void {
    this.shownIndex = index;
  }
  snapshot(): Uint8Array {
    return Uint8Array.from(this.list);
  }
  restore(data: Uint8Array, index: number): void {
    this.list = [...data];
    this.shownIndex = index;
    this.restoredCount++;
  }
}

interface Member {
  readonly id: NodeId;
  readonly driver: RaftDriver;
  readonly machine: ListMachine;
  readonly storage: MemoryRaftStorage;
  readonly fatal: unknown[];
}

class Members {
  readonly time = new VirtualTime();
  readonly network = new MemoryNetwork(this.time);
  readonly ids = ['a', 'b', 'c'].map(nodeId);
  readonly storages = new Map(this.ids.map((id) => [id, new MemoryRaftStorage(this.time)]));
  readonly up = new Map<NodeId, Member>();
  readonly told = new Map<NodeId, ConfState>();
  readonly compaction: Partial<CompactionRule>;

  constructor(compaction: Partial<CompactionRule> = {}) {
    this.compaction = compaction;
  }

  async start(id: NodeId): Promise<Member> {
    const transport = this.network.transport(id);
    const machine = new ListMachine();
    const storage = this.storages.get(id)!;
    const fatal: unknown[] = [];
    const driver = await RaftDriver.start({
      id,
      voters: this.ids,
      storage,
      transport,
      machine,
      timers: this.time,
      rng: new SeededRng(id.charCodeAt(0)),
      logger: silentLogger,
      onLeadership: () => {},
      onFatal: (error) => fatal.push(error),
      onMembers: (conf) => this.told.set(id, conf),
      compaction: this.compaction,
    });
    await transport.listen({
      onRaft: (from, messages) => driver.step(from, messages),
      onCall: async () => new Uint8Array(),
      onUnreachable: () => {},
    });
    const member = { id, driver, machine, storage, fatal };
    this.up.set(id, member);
    return member;
  }

  async startAll(): Promise<Member> {
    for (const id of this.ids) await this.start(id);
    return this.leader();
  }

  async leader(): Promise<Member> {
    const find = (): Member | undefined => [...this.up.values()].find(({ driver }) => driver.isLeaderReady);
    assert.ok(await this.time.until(() => find() !== undefined, 5_000), 'no leader within 5 s');
    return find()!;
  }

  async stop(member: Member): Promise<void> {
    this.up.delete(member.id);
    this.network.isolate(member.id);
    const stopped = member.driver.stop();
    await this.time.run(10);
    await stopped;
    this.network.heal(member.id);
  }

  async settle<T>(promise: Promise<T>, limitMs = 5_000): Promise<T> {
    let isDone = false;
    promise.then(
      () => {
        isDone = true;
      },
      () => {
        isDone = true;
      },
    );
    assert.ok(await this.time.until(() => isDone, limitMs), 'not settled in time');
    return promise;
  }
}

const code = (wanted: string) => (error: unknown) => error instanceof RaftDriverError && error.code === wanted;

test('elects a leader in two seconds, and a proposal is applied everywhere within milliseconds', async () => {
  const members = new Members();
  const startMs = members.time.monotonicMs();
  const leader = await members.startAll();
  assert.ok(members.time.monotonicMs() - startMs <= 2_000);
  const beforeMs = members.time.monotonicMs();
  const { index } = await members.settle(leader.driver.propose(Uint8Array.of(7)));
  assert.ok(index > 0);
  assert.deepEqual(leader.machine.list, [7]);
  assert.ok(members.time.monotonicMs() - beforeMs < 10, 'one round: write, send, write, answer');
  const everywhere = (): boolean => [...members.up.values()].every(({ machine }) => machine.list.length === 1);
  assert.ok(await members.time.until(everywhere, 5), 'the commit is told at once, not at the next heartbeat');
});

test('what waits for the disk shares the next write', async () => {
  const members = new Members();
  const leader = await members.startAll();
  leader.storage.writeMs = 20;
  const before = leader.storage.persistCount;
  const all = Promise.all(Array.from({ length: 200 }, (_, i) => leader.driver.propose(Uint8Array.of(i))));
  await members.settle(all);
  assert.ok(leader.storage.persistCount - before <= 2);
  assert.equal(leader.machine.list.length, 200);
});

test('a follower refuses proposals and gives linearizable reads', async () => {
  const members = new Members();
  const leader = await members.startAll();
  const follower = [...members.up.values()].find((member) => member !== leader)!;
  await assert.rejects(members.settle(follower.driver.propose(Uint8Array.of(1))), code('NOT_LEADER'));
  const { index } = await members.settle(leader.driver.propose(Uint8Array.of(1)));
  const readIndex = await members.settle(follower.driver.readBarrier());
  assert.ok(readIndex >= index);
  assert.ok(follower.machine.shownIndex >= index);
});

test('an isolated leader proves nothing and learns that its proposals have no outcome', async () => {
  const members = new Members();
  const leader = await members.startAll();
  members.network.isolate(leader.id);
  const proposal = leader.driver.propose(Uint8Array.of(9));
  const read = leader.driver.readBarrier();
  await Promise.all([
    assert.rejects(proposal, code('LOST_LEADERSHIP')),
    assert.rejects(read, code('TIMED_OUT')),
    members.time.run(4_000),
  ]);
  assert.equal(leader.driver.isLeader, false);
  const next = await members.leader();
  assert.notEqual(next.id, leader.id);
  await members.settle(next.driver.propose(Uint8Array.of(10)));
  members.network.heal(leader.id);
  assert.ok(await members.time.until(() => leader.machine.list.length === 1, 3_000));
  assert.deepEqual(leader.machine.list, [10]);
});

test('proposals beyond the bound are refused', async () => {
  const members = new Members();
  const leader = await members.startAll();
  const results = Array.from({ length: 5_000 }, () => leader.driver.propose(Uint8Array.of(1)).then(() => 'ok', String));
  const outcomes = await members.settle(Promise.all(results));
  assert.equal(outcomes.filter((outcome) => outcome === 'ok').length, 4_096);
  assert.equal(outcomes.filter((outcome) => outcome.includes('proposals wait')).length, 5_000 - 4_096);
});

test('a failed write stops the leader', async () => {
  const members = new Members();
  const leader = await members.startAll();
  leader.storage.failing = true;
  await assert.rejects(members.settle(leader.driver.propose(Uint8Array.of(1))), code('STOPPED'));
  assert.equal(leader.fatal.length, 1);
  await assert.rejects(leader.driver.propose(Uint8Array.of(1)), code('STOPPED'));
});

test('a failed write stops a follower; nothing that depends on it was sent', async () => {
  const members = new Members();
  const leader = await members.startAll();
  const follower = [...members.up.values()].find((member) => member !== leader)!;
  follower.storage.failing = true;
  const sentBefore = members.network.raftSent.length;
  const { index } = await members.settle(leader.driver.propose(Uint8Array.of(1)));
  assert.ok(await members.time.until(() => follower.fatal.length === 1, 1_000));
  const sent = members.network.raftSent.slice(sentBefore).filter(({ from }) => from === follower.id);
  assert.ok(sent.every(({ message }) => message.type !== 'appendReply' || message.index < index));
});

test('a snapshot that can not be stored stops the member', async () => {
  const members = new Members({ entriesMax: 3, trailingEntries: 1 });
  const leader = await members.startAll();
  leader.storage.compact = async () => {
    throw new Error('EIO');
  };
  for (let i = 0; i < 5; i++) leader.driver.propose(Uint8Array.of(i)).catch(() => {});
  assert.ok(await members.time.until(() => leader.fatal.length === 1, 1_000));
  await assert.rejects(leader.driver.propose(Uint8Array.of(1)), code('STOPPED'));
});

/** Snapshots are taken of ten entries; a follower is stopped, and the others have a leader. */
async function withOneAway(trailingEntries: number) {
  const members = new Members({ entriesMax: 10, trailingEntries });
  const first = await members.startAll();
  const away = [...members.up.values()].find((member) => member !== first)!;
  await members.stop(away);
  return { members, away, leader: await members.leader() };
}

/** A follower is stopped until what it lacks is kept no longer; afterwards snapshots are of five megabytes. */
async function laggingBehindLargeSnapshots() {
  const { members, leader, away: lagging } = await withOneAway(1);
  const snapshot = leader.machine.snapshot.bind(leader.machine);
  for (const { machine } of members.up.values()) {
    machine.snapshot = () => Buffer.concat([snapshot(), new Uint8Array(5_000_000)]);
  }
  const count = (snapshotsBehindMax + 2) * 10;
  for (let i = 0; i < count; i++) await members.settle(leader.driver.propose(Uint8Array.of(i)));
  return { members, leader, lagging };
}

test('a large snapshot goes in pieces that heartbeats are not behind', async () => {
  const { members, leader, lagging } = await laggingBehindLargeSnapshots();
  const sentBefore = members.network.raftSent.length;
  const back = await members.start(lagging.id);
  assert.ok(await members.time.until(() => back.machine.list.length >= 5_000_000, 5_000));
  assert.equal(leader.driver.isLeader, true);
  const pieces = members.network.raftSent
    .slice(sentBefore)
    .map(({ message }) => message)
    .filter((message) => message.type === 'snapshot');
  assert.ok(pieces.length >= 20);
  for (const { data } of pieces) assert.ok(data.length <= 256 * 1024);
});

interface Slowness {
  /** On the way, for each piece but the first. */
  readonly pieceMs?: number;
  /** To store a snapshot: the member is silent meanwhile. */
  readonly storeMs?: number;
  /** Between entries. */
  readonly entryMs?: number;
}

/** One member is away until it needs a snapshot, which takes its time, while entries go on coming. */
async function sentSlowly({ pieceMs = 0, storeMs = 0, entryMs = 20 }: Slowness, whileMs: number) {
  const { members, leader, lagging } = await laggingBehindLargeSnapshots();
  const { raftSent } = members.network;
  const persist = lagging.storage.persist.bind(lagging.storage);
  lagging.storage.persist = async (write) => {
    if (write.snapshot !== null) await delay(members.time, storeMs);
    await persist(write);
  };
  const sentBefore = raftSent.length;
  const back = await members.start(lagging.id);
  const isBegun = () => raftSent.slice(sentBefore).some(({ message }) => message.type === 'snapshot');
  assert.ok(await members.time.until(isBegun, 1_000));
  members.network.snapshotMs = pieceMs;
  let entriesMost = 0;
  const endMs = members.time.monotonicMs() + whileMs;
  while (members.time.monotonicMs() < endMs) {
    await members.settle(leader.driver.propose(Uint8Array.of(1)));
    await members.time.run(entryMs);
    entriesMost = Math.max(entriesMost, leader.storage.entries.length);
  }
  return { members, leader, back, entriesMost };
}

test('a snapshot that takes longer than the next one is taken in is the last that the peer needs', async () => {
  const { leader, back } = await sentSlowly({ pieceMs: 200 }, 3_000);
  assert.equal(back.machine.restoredCount, 1);
  assert.ok(back.driver.appliedIndex >= leader.driver.appliedIndex - 2);
  const { entries } = await leader.storage.load();
  assert.ok(entries.length <= 12, `${entries.length} entries are kept for nobody`);
});

test('a snapshot that takes longer to store than the next one is taken in is the last that the peer needs', async () => {
  const { leader, back } = await sentSlowly({ storeMs: 2_200, entryMs: 100 }, 10_000);
  assert.equal(back.machine.restoredCount, 1);
  assert.ok(back.driver.appliedIndex >= leader.driver.appliedIndex - 2);
});

test('the log does not grow for a snapshot that never arrives', async () => {
  const { back, entriesMost } = await sentSlowly({ pieceMs: 60_000 }, 5_000);
  assert.equal(back.machine.restoredCount, 0);
  assert.ok(entriesMost <= (snapshotsBehindMax + 1) * 10, `${entriesMost} entries`);
  assert.ok(entriesMost > snapshotsBehindMax * 9, `${entriesMost} entries`);
});

test('a member that is away for a while needs no snapshot; the log does not grow for one that stays away', async () => {
  const { members, leader, away } = await withOneAway(1);
  const propose = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) await members.settle(leader.driver.propose(Uint8Array.of(i)));
  };
  await propose(25);
  const back = await members.start(away.id);
  assert.ok(await members.time.until(() => back.driver.appliedIndex === leader.driver.appliedIndex, 3_000));
  assert.equal(back.machine.restoredCount, 0);
  await members.stop(back);
  await propose(200);
  assert.ok(leader.storage.entries.length <= 12, `${leader.storage.entries.length} entries are kept for nobody`);
});

test('a call that waits when the driver ends is told, and so is one that comes afterwards', async () => {
  const members = new Members();
  const leader = await members.startAll();
  const to = members.ids.find((id) => id !== leader.id)!;
  leader.storage.writeMs = 3_000;
  leader.driver.propose(Uint8Array.of(1)).catch(() => {});
  // The loop waits for the disk, and the call for the loop.
  await members.time.run(5);
  const call = leader.driver.transferLeadership(to);
  const stopped = leader.driver.stop();
  await assert.rejects(members.settle(call, 100), code('STOPPED'));
  await assert.rejects(members.settle(leader.driver.transferLeadership(to), 100), code('STOPPED'));
  leader.driver.campaign();
  await members.settle(stopped);
});

test('members change at run time, and are told', async () => {
  const members = new Members();
  const leader = await members.startAll();
  const gone = members.ids.find((id) => id !== leader.id)!;
  const rest = members.ids.filter((id) => id !== gone);
  const target = { voters: rest, learners: [gone] };
  // Both others have to be heard from.
  await members.time.run(300);
  assert.equal((await members.settle(leader.driver.changeMembers(target))).ok, true);
  assert.ok(await members.time.until(() => leader.driver.members().learners.includes(gone), 1_000));
  assert.ok(await members.time.until(() => members.told.has(gone), 1_000));
  assert.deepEqual(members.told.get(gone)?.voters, rest);
  assert.equal((await members.settle(leader.driver.transferLeadership(gone))).ok, false);
});

test('messages that are not of the node they came from are dropped, and proposals of peers', async () => {
  const members = new Members();
  const leader = await members.startAll();
  const [other] = members.ids.filter((id) => id !== leader.id);
  const forged = { type: 'heartbeat', from: leader.id, to: leader.id, term: 99, commit: 0, readRound: 0 } as const;
  leader.driver.step(other!, [{ ...forged, from: 'nobody' }]);
  const { term } = leader.driver.leadership;
  const data = Uint8Array.of(7);
  leader.driver.step(other!, [{ type: 'propose', from: other!, to: leader.id, term, requestId: 1, data }]);
  await members.time.run(50);
  assert.deepEqual([leader.driver.isLeader, leader.machine.list], [true, []]);
});

test('leadership can be handed over', async () => {
  const members = new Members();
  const leader = await members.startAll();
  const target = members.ids.find((id) => id !== leader.id)!;
  const result = await members.settle(leader.driver.transferLeadership(target));
  assert.deepEqual(result, { ok: true });
  assert.ok(await members.time.until(() => members.up.get(target)!.driver.isLeaderReady, 200));
});

test('a stalled member reports how late its tick is', async () => {
  const members = new Members();
  const leader = await members.startAll();
  assert.ok(leader.driver.tickLateRatio < 1);
  members.time.stall(2_000);
  assert.ok(leader.driver.tickLateRatio >= 18);
});

test('restarts from its disk; one far behind takes a snapshot', async () => {
  const { members, leader, away: lagging } = await withOneAway(2);
  for (let i = 0; i < 50; i++) await members.settle(leader.driver.propose(Uint8Array.of(i)));
  await members.time.run(50);
  assert.ok(leader.storage.compactCount >= 4);
  assert.ok(leader.storage.entries.length < 20);
  const back = await members.start(lagging.id);
  assert.ok(await members.time.until(() => back.machine.list.length === 50, 5_000));
  assert.equal(back.machine.restoredCount, 1);

  for (const member of [...members.up.values()]) await members.stop(member);
  for (const id of members.ids) await members.start(id);
  const again = await members.leader();
  assert.equal(again.machine.list.length, 50);
  await members.settle(again.driver.propose(Uint8Array.of(99)));
  assert.ok(await members.time.until(() => [...members.up.values()].every((m) => m.machine.list.length === 51), 3_000));
});
