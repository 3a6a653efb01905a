import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { randomBelow, SeededRng } from '@holdfast/model';
import fc from 'fast-check';
import type { LeaseCommand, LeaseDecision } from './commands.ts';
import { LeaseCoordinator } from './coordinator.ts';
import { LeaseTable } from './lease-table.ts';
import { compileLeaseOptions, type LeaseOptions } from './options.ts';
import type { LeaseRecord } from './records.ts';
import type { ReplayOutcome } from './replay-outcome.ts';

const calm = { tickLateMs: 0, quorumConfirmedAtMs: Number.POSITIVE_INFINITY, balancingPaused: false };

/** A leader with a log of proposals that are applied when the test says so. */
class Leader {
  readonly table = new LeaseTable();
  coordinator: LeaseCoordinator;
  nowMs = 0;
  index = 0;
  pending: (readonly LeaseRecord[])[] = [];
  readonly options: LeaseOptions;

  constructor(options: Partial<LeaseOptions> = {}) {
    this.options = compileLeaseOptions({ boundedLoadSlack: 4, ...options });
    this.coordinator = new LeaseCoordinator(this.table, this.options, 0);
    this.do({ kind: 'found', base: 100 });
  }

  ask(command: LeaseCommand): LeaseDecision {
    const decision = this.coordinator.decide(command, this.nowMs);
    if (decision.ok && decision.records.length > 0) this.pending.push(decision.records);
    return decision;
  }

  /** Asks and applies; the code of a refusal, else 'ok'. */
  do(command: LeaseCommand): string {
    const decision = this.ask(command);
    this.applyAll();
    return decision.ok ? 'ok' : decision.refusal.code;
  }

  tick(afterMs = 0, input: Partial<typeof calm> = {}): LeaseRecord[] {
    this.nowMs += afterMs;
    const entries = this.coordinator.tick(this.nowMs, { ...calm, ...input });
    this.pending.push(...entries);
    return entries.flat();
  }

  applyOne(): Map<LeaseRecord, ReplayOutcome> {
    const records = this.pending.shift() ?? [];
    const outcomes = new Map<LeaseRecord, ReplayOutcome>();
    if (records.length === 0) return outcomes;
    this.index++;
    for (const record of records) outcomes.set(record, this.table.replay(record, this.index));
    this.table.publishIndex(this.index);
    this.coordinator.onApplied(this.index, records, this.nowMs);
    return outcomes;
  }

  applyAll(): void {
    while (this.pending.length > 0) this.applyOne();
  }

  /** All its proposals stay in the log, but the notes are gone. */
  changeLeader(): void {
    this.coordinator = new LeaseCoordinator(this.table, this.options, this.nowMs);
  }

  renewAll(): void {
    for (const { session } of this.table.sessions()) this.coordinator.renewed(session, this.nowMs);
  }
}

const open = (node: string, counter = 1, shards = 1, uuid = node): LeaseCommand => ({
  kind: 'openSession',
  nodeId: node as never,
  uuid,
  counter,
  shards,
  addresses: [],
  version: '1',
});

const acquire = (session: number, first: number, count: number, shard = 0): LeaseCommand => ({
  kind: 'acquire',
  session: session as never,
  shard: shard as never,
  units: Uint32Array.from({ length: count * 2 }, (_, i) =>
    i & 1 ? first + (i >> 1) : Math.imul(first + (i >> 1), 0x9e37_79b9),
  ),
});

const topic = (topicId: string, partitions: number, replace = false): LeaseCommand => ({
  kind: 'reportTopic',
  topic: 'in',
  topicId: topicId as never,
  partitions,
  replace,
});

describe('sessions', () => {
  it('are refused before the cluster is founded, and it is founded once', () => {
    const bare = new LeaseCoordinator(new LeaseTable(), compileLeaseOptions(), 0);
    const decision = bare.decide(open('a'), 0);
    assert.equal(decision.ok === false && decision.refusal.code, 'NOT_FOUNDED');
    assert.equal(new Leader().do({ kind: 'found', base: 3 }), 'ALREADY_FOUNDED');
  });

  it('belong to one data folder per node name, and to its latest incarnation, also while opening', () => {
    const leader = new Leader();
    leader.ask(open('a', 3));
    assert.equal(leader.do(open('a', 4, 1, 'other folder')), 'NODE_ID_TAKEN');
    assert.equal(leader.do(open('a', 3)), 'STALE_INCARNATION');
    assert.equal(leader.do(open('a', 2)), 'STALE_INCARNATION');
    const [session] = [...leader.table.sessions()].map((s) => s.session);
    assert.equal(leader.do({ kind: 'forgetNode', nodeId: 'a' as never }), 'NODE_ALIVE');
    assert.equal(leader.do({ kind: 'endSession', session: session!, reason: 'clean' }), 'ok');
    assert.equal(leader.do(open('a', 3)), 'STALE_INCARNATION');
    assert.equal(leader.do(open('a', 9, 1, 'other folder')), 'NODE_ID_TAKEN');
    assert.equal(leader.do({ kind: 'forgetNode', nodeId: 'a' as never }), 'ok');
    assert.equal(leader.do(open('a', 1, 1, 'other folder')), 'ok');
  });

  it('expire without renewal, and cannot be renewed once that is proposed', () => {
    const leader = new Leader();
    leader.do(open('a'));
    leader.do(open('b'));
    leader.nowMs = 9000;
    assert.equal(leader.coordinator.renewed(3 as never, 9000), null);
    assert.deepEqual(leader.tick(4300), [{ kind: 'sessionEnded', session: 2, reason: 'expired' }]);
    assert.deepEqual(leader.tick(100), []);
    assert.equal(leader.coordinator.renewed(2 as never, leader.nowMs)?.code, 'SESSION_OVER');
    leader.applyAll();
    assert.deepEqual(
      [...leader.table.sessions()].map((s) => s.nodeId),
      ['b'],
    );
  });
});

describe('units', () => {
  it('asked for twice are granted once, also while the first grant is in flight', () => {
    const leader = new Leader();
    leader.do(open('a'));
    leader.ask(acquire(2, 0, 10));
    const again = leader.ask(acquire(2, 5, 10));
    assert.deepEqual(again.ok && again.answer, { proposed: 5, elsewhere: 0, skipped: 5, stale: 0 });
    leader.applyAll();
    const third = leader.ask(acquire(2, 0, 15));
    assert.deepEqual(third.ok && third.records, []);
  });

  it('go to the asker up to its bound, then to the least loaded, in flight counted', () => {
    const leader = new Leader();
    for (const node of ['a', 'b', 'c']) leader.do(open(node));
    const first = leader.ask(acquire(2, 0, 300));
    assert.deepEqual(first.ok && first.answer, { proposed: 300, elsewhere: 171, skipped: 0, stale: 0 });
    const second = leader.ask(acquire(2, 300, 300));
    assert.ok(second.ok && second.answer.elsewhere >= 150);
    leader.applyAll();
    const loads = leader.table.loads().map((l) => l.units);
    assert.equal(loads[0], 254);
    assert.ok(Math.abs(loads[1]! - loads[2]!) <= 1);
  });

  it('are never given to a closing, silent or ending session', () => {
    const leader = new Leader();
    for (const node of ['a', 'b', 'c', 'd']) leader.do(open(node));
    leader.ask({ kind: 'markClosing', session: 2 as never });
    leader.ask({ kind: 'endSession', session: 3 as never, reason: 'clean' });
    leader.nowMs = 9500;
    leader.coordinator.renewed(2 as never, 9500);
    leader.coordinator.renewed(5 as never, 9500);
    const decision = leader.ask(acquire(2, 0, 50));
    assert.deepEqual(decision.ok && decision.records.map((r) => r.kind === 'granted' && r.session), [5]);
    leader.ask({ kind: 'markClosing', session: 5 as never });
    assert.equal(leader.do(acquire(2, 60, 5)), 'NO_SHARD');
  });

  it('are released and moved by their holder, under their epoch, once', () => {
    const leader = new Leader();
    leader.do(open('a'));
    leader.do(open('b', 1, 2));
    leader.do({ ...acquire(2, 0, 4) });
    const units = Uint32Array.of(Math.imul(1, 0x9e37_79b9), 1, Math.imul(2, 0x9e37_79b9), 2);
    const epoch = leader.table.get(units[0]!, 1)!.epoch;
    const epochs = Float64Array.of(epoch, epoch - 1);
    const to = { session: 3 as never, shard: 1 as never };
    const move = leader.ask({ kind: 'move', session: 2 as never, units, epochs, to });
    assert.deepEqual(move.ok && move.answer, { proposed: 1, elsewhere: 1, skipped: 0, stale: 1 });
    const release = leader.ask({ kind: 'release', session: 2 as never, units, epochs: Float64Array.of(epoch, epoch) });
    assert.deepEqual(release.ok && release.answer, { proposed: 1, elsewhere: 0, skipped: 1, stale: 0 });
    leader.applyAll();
    assert.deepEqual(leader.table.get(units[0]!, 1), {
      session: 3,
      nodeId: 'b',
      shard: 1,
      epoch: 100 + leader.index - 1,
    });
    assert.equal(leader.table.get(units[2]!, 2), null);
    assert.equal(leader.do({ kind: 'forceRelease', hi: units[0]!, lo: 1 }), 'ok');
    assert.equal(leader.do({ kind: 'forceRelease', hi: units[0]!, lo: 1 }), 'NOT_LEASED');
    assert.deepEqual([leader.table.forcedCount, leader.table.uncleanCount], [1, 1]);
  });

  it('of a draining node go wherever there is room', () => {
    const leader = new Leader();
    leader.do(open('a'));
    leader.do(acquire(2, 0, 90));
    for (const node of ['b', 'c', 'd']) leader.do(open(node));
    leader.do({ kind: 'markClosing', session: 2 as never });
    const units: number[] = [];
    const epochs: number[] = [];
    leader.table.visitUnits((hi, lo, _session, _shard, index) => {
      units.push(hi, lo);
      epochs.push(100 + index);
    });
    const command = { units: Uint32Array.from(units), epochs: Float64Array.from(epochs), to: null };
    assert.equal(leader.do({ kind: 'move', session: 2 as never, ...command }), 'ok');
    assert.deepEqual(
      leader.table.loads().map((l) => l.units),
      [0, 30, 30, 30],
    );
  });

  it('are refused when the table is full or the batch is too large', () => {
    const leader = new Leader({ unitsMax: 100 });
    leader.do(open('a'));
    leader.ask(acquire(2, 0, 90));
    const some = leader.ask(acquire(2, 100, 20));
    assert.equal(some.ok && some.answer.proposed, 10, 'as many as there is room for');
    assert.equal(leader.do(acquire(2, 100, 20)), 'TABLE_FULL');
    assert.equal(leader.do(acquire(2, 100, 8193)), 'BATCH_TOO_LARGE');
    assert.equal(leader.do(acquire(9, 100, 1)), 'SESSION_OVER');
  });
});

describe('partitions', () => {
  const counts = (leader: Leader) => {
    const byNode = new Map<string, number>();
    for (const { session, nodeId } of leader.table.sessions()) {
      byNode.set(nodeId, leader.table.partitionLeases('t1' as never).filter((l) => l?.session === session).length);
    }
    return [...byNode.values()];
  };

  it('are given out at once, move one at a time for balance, and at once after a session has ended', () => {
    const leader = new Leader();
    leader.do(open('a', 1, 2));
    leader.do(topic('t1', 6));
    assert.equal(leader.tick().length, 6);
    assert.equal(leader.tick().length, 0);
    leader.applyAll();
    assert.deepEqual(counts(leader), [6]);
    leader.do(open('b', 1, 2));
    assert.equal(leader.tick(0, { balancingPaused: true }).length, 0);
    assert.equal(leader.tick().length, 1);
    assert.equal(leader.tick(6000).length, 0, 'one in flight');
    leader.applyAll();
    leader.renewAll();
    assert.equal(leader.tick().length, 1);
    leader.applyAll();
    assert.equal(leader.tick(100).length, 0, 'not so soon');
    for (let i = 0; i < 10; i++) {
      leader.tick(5000);
      leader.applyAll();
      leader.renewAll();
    }
    assert.deepEqual(counts(leader), [3, 3]);
    leader.do({ kind: 'endSession', session: 2 as never, reason: 'gone' });
    assert.equal(leader.tick().length, 3);
    leader.applyAll();
    assert.deepEqual(counts(leader), [6]);
  });

  it('leave a closing session one after another, without delay', () => {
    const leader = new Leader();
    leader.do(open('a'));
    leader.do(open('b'));
    leader.do(topic('t1', 4));
    leader.tick();
    leader.applyAll();
    leader.do({ kind: 'markClosing', session: 2 as never });
    for (let i = 0; i < 2; i++) {
      assert.equal(leader.tick(1).length, 1);
      leader.applyAll();
    }
    assert.deepEqual(counts(leader), [0, 4]);
  });

  it('given up go to somebody else', () => {
    const leader = new Leader();
    leader.do(open('a'));
    leader.do(open('b'));
    leader.do(topic('t1', 2));
    leader.tick();
    leader.applyAll();
    const partition = leader.table.partitionLeases('t1' as never).findIndex((l) => l?.session === 2);
    const { epoch } = leader.table.partitionLease('t1' as never, partition)!;
    const command = { kind: 'releasePartition', session: 2 as never, topicId: 't1' as never, partition } as const;
    assert.equal(leader.do({ ...command, epoch: 5 as never }), 'NOT_LEASED');
    assert.equal(leader.do({ ...command, epoch }), 'ok');
    leader.tick();
    leader.applyAll();
    assert.deepEqual(counts(leader), [0, 2]);
    assert.equal(leader.tick(5000).length, 0, 'still backing off');
  });

  it('of a topic made anew need consent', () => {
    const leader = new Leader();
    leader.do(open('a'));
    leader.do(topic('t1', 2));
    assert.equal(leader.do(topic('t2', 2)), 'TOPIC_CHANGED');
    assert.equal(leader.do(topic('t2', 2, true)), 'ok');
    assert.deepEqual(
      [...leader.table.topics()].map((t) => t.topicId),
      ['t2'],
    );
    assert.equal(leader.do({ kind: 'removeTopic', topicId: 't2' as never }), 'ok');
    assert.deepEqual([...leader.table.topics()], []);
  });
});

describe('the store generation', () => {
  it('changes once per change, and not by an answer of before the last one', () => {
    const leader = new Leader();
    const report = (storeGeneration: string, knownNumber: number) =>
      leader.ask({ kind: 'reportGeneration', storeGeneration, knownNumber, continues: true });
    report('x', 0);
    const again = report('x', 0);
    assert.deepEqual(again.ok && again.records, []);
    leader.applyAll();
    assert.deepEqual([leader.table.generation, leader.table.storeGeneration], [1, 'x']);
    const stale = report('before', 0);
    assert.equal(!stale.ok && stale.refusal.code, 'STALE_GENERATION');
    report('y', 1);
    leader.applyAll();
    assert.deepEqual([leader.table.generation, leader.table.generationIndex], [2, leader.index]);
  });
});

describe('decide and replay together', () => {
  it('keep one live lease a unit with rising epochs, void nothing under one leader, and leave nothing in flight', () => {
    const property = fc.property(fc.integer({ min: 0 }), fc.boolean(), (seed, leaderChanges) => {
      const rng = new SeededRng(seed);
      const leader = new Leader();
      const epochOf = new Map<string, number>();
      for (let step = 0; step < 150; step++) {
        const sessions = [...leader.table.sessions()].map((s) => s.session);
        const session = (sessions[randomBelow(rng, Math.max(1, sessions.length))] ?? 1) as never;
        const dice = randomBelow(rng, 20);
        if (dice < 2) leader.ask(open(`n${randomBelow(rng, 4)}`, step + 1, 1 + randomBelow(rng, 3)));
        else if (dice < 3) leader.ask({ kind: 'endSession', session, reason: 'gone' });
        else if (dice < 4) leader.ask({ kind: 'markClosing', session });
        else if (dice < 9) leader.ask(acquire(session, randomBelow(rng, 200), 1 + randomBelow(rng, 60)));
        else if (dice < 12) {
          const units: number[] = [];
          const epochs: number[] = [];
          leader.table.visitUnits((hi, lo, owner, _shard, index) => {
            if (owner !== session || randomBelow(rng, 3) > 0) return;
            units.push(hi, lo);
            epochs.push(100 + index);
          });
          const own = { session, units: Uint32Array.from(units), epochs: Float64Array.from(epochs) };
          leader.ask(dice < 10 ? { kind: 'release', ...own } : { kind: 'move', ...own, to: null });
        } else if (dice < 13) leader.ask(topic('t1', 1 + randomBelow(rng, 9)));
        else if (dice < 15) {
          leader.renewAll();
          leader.tick(randomBelow(rng, 4000));
        } else if (leaderChanges && dice < 16) leader.changeLeader();
        else {
          // What one leader decided holds when it is applied, unless its target began to close or end meanwhile.
          const mayVoid = (record: LeaseRecord) =>
            record.kind !== 'granted' || (leader.table.session(record.session)?.closing ?? true);
          const firm = (leader.pending[0] ?? []).filter((record) => !mayVoid(record));
          const outcomes = leader.applyOne();
          if (!leaderChanges) for (const record of firm) assert.equal(outcomes.get(record)!.unitsVoided, 0);
        }
        leader.table.visitUnits((hi, lo, _session, _shard, index) => {
          const id = `${hi}:${lo}`;
          assert.ok(index >= (epochOf.get(id) ?? 0), 'epochs rise');
          epochOf.set(id, index);
        });
      }
      leader.applyAll();
      const total = leader.table.loads().reduce((sum, l) => sum + l.units, 0);
      assert.equal(total, leader.table.unitCount);
      if (leaderChanges) return;
      for (const node of ['x', 'y']) leader.do(open(node));
      leader.do(acquire(leader.index, 0, 300));
      assert.equal(leader.table.unitCount, 300);
      leader.renewAll();
      leader.tick();
      leader.applyAll();
      for (const lease of leader.table.partitionLeases('t1' as never)) assert.ok(lease !== null);
    });
    fc.assert(property, { numRuns: 80 });
  });
});
