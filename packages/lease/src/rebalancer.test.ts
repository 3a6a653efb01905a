import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { BalanceShard } from './rebalance.ts';
import { type HandOverOrder, Rebalancer } from './rebalancer.ts';

const shard = (session: number, units: number, leaves = false): BalanceShard => ({
  session: session as never,
  shard: 0 as never,
  nodeId: `n${session}` as never,
  units,
  receives: !leaves,
  leaves,
});

const sumOf = (orders: readonly HandOverOrder[]) =>
  orders.reduce((sum, { moves }) => sum + moves.reduce((n, { count }) => n + count, 0), 0);

describe('rebalancer', () => {
  it('begins a round when the last is done, or has taken too long; never two within a second', () => {
    const rebalancer = new Rebalancer();
    const shards = [shard(1, 40_000), shard(2, 0)];
    assert.equal(sumOf(rebalancer.tick(0, { shards, paused: false })), 3_600);
    assert.deepEqual(rebalancer.tick(5_000, { shards, paused: false }), []);
    rebalancer.onMoved(3_600);
    assert.equal(rebalancer.state.left, 0);
    assert.equal(sumOf(rebalancer.tick(5_100, { shards, paused: false })), 3_600);
    rebalancer.onMoved(3_600);
    assert.deepEqual(rebalancer.tick(5_900, { shards, paused: false }), []);
    assert.equal(sumOf(rebalancer.tick(6_100, { shards, paused: false })), 3_600);
    assert.equal(sumOf(rebalancer.tick(16_100, { shards, paused: false })), 3_600);
  });

  it('takes its orders back when a node becomes unreachable, or all is even', () => {
    const rebalancer = new Rebalancer();
    const shards = [shard(1, 40_000), shard(2, 0)];
    rebalancer.tick(0, { shards, paused: false });
    const [stop] = rebalancer.tick(100, { shards, paused: true });
    assert.deepEqual(stop, { from: { session: 1, shard: 0 }, moves: [] });
    assert.deepEqual(rebalancer.tick(2_000, { shards, paused: true }), []);
    assert.equal(sumOf(rebalancer.tick(3_100, { shards, paused: false })), 3_600);
    rebalancer.onMoved(3_600);
    const even = [shard(1, 20_000), shard(2, 20_000)];
    assert.equal(sumOf(rebalancer.tick(6_000, { shards: even, paused: false })), 0);
    assert.deepEqual(rebalancer.tick(9_000, { shards: even, paused: false }), []);
    assert.equal(rebalancer.state.balancing, false);
  });

  it('goes on with a drain while paused', () => {
    const rebalancer = new Rebalancer();
    const shards = [shard(1, 10_000, true), shard(2, 10_000), shard(3, 10_000)];
    const [order] = rebalancer.tick(0, { shards, paused: true });
    assert.deepEqual(order!.moves, [
      { to: { session: 2, shard: 0 }, count: 1_350 },
      { to: { session: 3, shard: 0 }, count: 1_350 },
    ]);
    assert.deepEqual(rebalancer.tick(100, { shards, paused: true }), []);
  });
});
