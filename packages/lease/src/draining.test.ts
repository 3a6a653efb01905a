import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { LeaseCommand } from './commands.ts';
import { LeaseCoordinator } from './coordinator.ts';
import { LeaseTable } from './lease-table.ts';
import { compileLeaseOptions } from './options.ts';
import type { LeaseRecord } from './records.ts';

const options = compileLeaseOptions({ boundedLoadSlack: 4 });
const calm = { tickLateMs: 0, quorumConfirmedAtMs: Number.POSITIVE_INFINITY, balancingPaused: false };

/** A leader whose proposals are applied at once. */
class Leader {
  readonly table = new LeaseTable();
  coordinator = new LeaseCoordinator(this.table, options, 0);
  nowMs = 0;
  #index = 0;

  constructor() {
    this.do({ kind: 'found', base: 100 });
  }

  do(command: LeaseCommand): string {
    const decision = this.coordinator.decide(command, this.nowMs);
    if (!decision.ok) return decision.refusal.code;
    this.#apply(decision.records);
    return 'ok';
  }

  tick(afterMs: number): number {
    this.nowMs += afterMs;
    const entries = this.coordinator.tick(this.nowMs, calm);
    for (const records of entries) this.#apply(records);
    return entries.flat().length;
  }

  #apply(records: readonly LeaseRecord[]): void {
    if (records.length === 0) return;
    const index = ++this.#index;
    for (const record of records) this.table.replay(record, index);
    this.table.publishIndex(index);
    this.coordinator.onApplied(index, records, this.nowMs);
  }
}

const open = (nodeId: string, counter = 1): LeaseCommand => ({
  kind: 'openSession',
  nodeId: nodeId as never,
  uuid: nodeId,
  counter,
  shards: 1,
  addresses: [],
  version: '1',
});

const topic = (topicId: string, partitions: number): LeaseCommand => ({
  kind: 'reportTopic',
  topic: 'in',
  topicId: topicId as never,
  partitions,
  replace: false,
});

const acquire = (session: number, first: number, count: number): LeaseCommand => ({
  kind: 'acquire',
  session: session as never,
  shard: 0 as never,
  units: Uint32Array.from({ length: count * 2 }, (_, i) => first + i),
});

describe('a draining node', () => {
  const drain = (nodeId: string, draining = true): LeaseCommand => ({
    kind: 'setDraining',
    nodeId: nodeId as never,
    draining,
  });

  it('gets nothing new, keeps what it has, and loses its partitions a few per second', () => {
    const leader = new Leader();
    leader.do(open('a'));
    leader.do(open('b'));
    leader.do(topic('t1', 4));
    leader.tick(0);
    leader.do(acquire(3, 1, 10));
    const held = leader.table.load(3 as never, 0 as never);
    assert.equal(leader.do(drain('b')), 'ok');
    assert.equal(leader.table.isDraining(3 as never), true);
    leader.do(acquire(3, 1_000, 50));
    assert.equal(leader.table.load(3 as never, 0 as never), held);
    const readers = () => leader.table.partitionLeases('t1' as never).map((lease) => lease?.session);
    assert.equal(leader.tick(300), 1);
    assert.equal(leader.tick(100), 0);
    assert.equal(leader.tick(300), 1);
    assert.deepEqual(readers(), [2, 2, 2, 2]);
    const to = { session: 3 as never, shard: 0 as never };
    const [units, epochs] = [Uint32Array.of(1, 2), Float64Array.of(100)];
    assert.equal(leader.do({ kind: 'move', session: 2 as never, units, epochs, to }), 'NODE_DRAINING');
  });

  it('stays one over restarts and leaders, until it is resumed; the last one is not let go', () => {
    const leader = new Leader();
    leader.do(open('a'));
    leader.do(open('b'));
    assert.equal(leader.do(drain('c')), 'NODE_UNKNOWN');
    assert.equal(leader.do(drain('b')), 'ok');
    assert.equal(leader.do(drain('a')), 'LAST_NODE');
    leader.do(open('b', 2));
    leader.coordinator = new LeaseCoordinator(leader.table, options, leader.nowMs);
    const restored = LeaseTable.restore(leader.table.encodeSnapshot());
    for (const table of [leader.table, restored]) assert.equal(table.node('b' as never)!.draining, true);
    assert.equal(leader.do(drain('b', false)), 'ok');
    assert.equal(leader.do(drain('a')), 'ok');
  });

  it('counts as one from its decision on: of two drains at once, the second is refused', () => {
    const leader = new Leader();
    leader.do(open('a'));
    leader.do(open('b'));
    const decide = (command: LeaseCommand) => {
      const decision = leader.coordinator.decide(command, leader.nowMs);
      return decision.ok ? decision.records : decision.refusal.code;
    };
    const drainOfA = decide(drain('a'));
    assert.ok(Array.isArray(drainOfA) && drainOfA.length === 1);
    assert.equal(decide(drain('b')), 'LAST_NODE');
    assert.deepEqual(decide(drain('a')), [], 'it is on its way');
    assert.equal(leader.coordinator.mayReceive(2 as never, 0), false);
    assert.equal(leader.table.isDraining(2 as never), false);
    // Taken back before the drain is applied: the other may go only once it is.
    const resumptionOfA = decide(drain('a', false));
    assert.ok(Array.isArray(resumptionOfA) && resumptionOfA.length === 1);
    assert.equal(decide(drain('b')), 'LAST_NODE');
    leader.coordinator.onDropped(drainOfA);
    leader.coordinator.onDropped(resumptionOfA);
    assert.equal(leader.do(drain('b')), 'ok', 'what was dropped counts no more');
  });
});
