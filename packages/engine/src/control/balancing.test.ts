import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultLeaseOptions, LeaseCoordinator, type LeaseRecord, LeaseTable } from '@holdfast/lease';
import { nodeId, type SessionId, type ShardIndex } from '@holdfast/model';
import { absentMsMax, Balancing, settleMs } from './balancing.ts';

const tickMs = 100;
/** A round that isn't done is given up, and ordered again, in less. */
const roundMs = 11_000;
const calm = { silent: false, unreachable: false };

/** A leader's table and its balancing: n1 has all units, n2 and n3 have none; everybody renews. */
class Leader {
  readonly table = new LeaseTable();
  readonly #coordinator = new LeaseCoordinator(this.table, defaultLeaseOptions, 0);
  readonly balancing = new Balancing(this.table, this.#coordinator);
  #nowMs = 0;
  #index = 0;

  constructor() {
    this.apply({ kind: 'epochBase', base: 0 });
    for (const id of ['n1', 'n2', 'n3']) this.open(id);
    const units = Uint32Array.from({ length: 6_000 }, (_, i) => Math.imul(i + 1, 0x9e37_79b9));
    this.apply({ kind: 'granted', session: this.session('n1'), shard: 0 as ShardIndex, units });
  }

  apply(record: LeaseRecord): void {
    this.#index++;
    this.table.replay(record, this.#index);
    this.table.publishIndex(this.#index);
    this.#coordinator.onApplied(this.#index, [record], this.#nowMs);
  }

  open(id: string, version = '1', counter = 1): void {
    const incarnation = { nodeId: nodeId(id), uuid: `folder-of-${id}`, counter, shards: 1, addresses: ['a', 'b'] };
    this.apply({ kind: 'sessionOpened', ...incarnation, version });
  }

  end(id: string): void {
    this.apply({ kind: 'sessionEnded', session: this.session(id), reason: 'clean' });
  }

  session(id: string): SessionId {
    return this.table.node(nodeId(id))!.session as SessionId;
  }

  /** Units that are ordered to move in so long a time. */
  run(forMs: number, known = calm): number {
    let ordered = 0;
    for (let ms = 0; ms < forMs; ms += tickMs) {
      this.#nowMs += tickMs;
      for (const { session } of this.table.sessions()) this.#coordinator.renewed(session, this.#nowMs);
      for (const { moves } of this.balancing.tick(this.#nowMs, known)) {
        for (const { count } of moves) ordered += count;
      }
    }
    return ordered;
  }

  get pause(): string | null {
    return this.balancing.state.pause;
  }
}

/** Balancing is under way. */
function balancingLeader(): Leader {
  const leader = new Leader();
  assert.ok(leader.run(settleMs + roundMs) > 0);
  assert.equal(leader.pause, null);
  return leader;
}

/** For longer than it takes to settle, so that it isn't that which pauses. */
function assertPaused(leader: Leader, pause: string, known = calm): void {
  leader.run(tickMs, known);
  assert.equal(leader.balancing.state.left, 0, 'the round that was under way is called off');
  assert.equal(leader.run(settleMs + roundMs, known), 0);
  assert.equal(leader.pause, pause);
  assert.equal(leader.balancing.state.paused, true);
}

function assertGoesOn(leader: Leader): void {
  assert.ok(leader.run(settleMs + roundMs) > 0, 'balancing goes on');
  assert.equal(leader.pause, null);
}

test('NODE_SILENT: nothing is moved while a session is silent', () => {
  const leader = balancingLeader();
  assertPaused(leader, 'NODE_SILENT', { silent: true, unreachable: false });
  assertGoesOn(leader);
});

test('NODE_UNREACHABLE: nor while gossip has a node with a session for dead', () => {
  const leader = balancingLeader();
  assertPaused(leader, 'NODE_UNREACHABLE', { silent: false, unreachable: true });
  assertGoesOn(leader);
});

test('ROLLOUT: nor while a session closes', () => {
  const leader = balancingLeader();
  leader.apply({ kind: 'sessionClosing', session: leader.session('n2') });
  assertPaused(leader, 'ROLLOUT');
  leader.end('n2');
  leader.open('n2', '1', 2);
  assertGoesOn(leader);
});

test('ROLLOUT: nor while two versions run', () => {
  const leader = balancingLeader();
  leader.open('n3', '2', 2);
  assertPaused(leader, 'ROLLOUT');
  leader.open('n1', '2', 2);
  leader.open('n2', '2', 2);
  leader.run(settleMs + tickMs);
  assert.equal(leader.pause, null);
});

test('NODE_ABSENT: nor while a known node may come back, unless it is drained or away for long', () => {
  const leader = balancingLeader();
  leader.end('n3');
  assertPaused(leader, 'NODE_ABSENT');
  leader.run(absentMsMax - settleMs - roundMs - 2 * tickMs);
  assert.equal(leader.pause, 'NODE_ABSENT');
  assertGoesOn(leader);
  const drained = balancingLeader();
  drained.apply({ kind: 'nodeDraining', nodeId: nodeId('n3'), draining: true });
  drained.end('n3');
  assertGoesOn(drained);
});

test('SETTLING: nor for a while after a session has come', () => {
  const leader = balancingLeader();
  leader.open('n4');
  assert.equal(leader.run(settleMs), 0);
  assert.equal(leader.pause, 'SETTLING');
  assertGoesOn(leader);
});
