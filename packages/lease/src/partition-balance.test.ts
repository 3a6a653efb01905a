import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { balancingMove, type HeldPartition, leastReader, type ReaderShard } from './partition-balance.ts';

/** Nodes with these numbers of shards; the session of node i is i + 1. */
function readers(shardsOfNode: readonly number[]): ReaderShard[] {
  return shardsOfNode.flatMap((shards, node) =>
    Array.from({ length: shards }, (_, shard) => ({
      session: (node + 1) as never,
      shard: shard as never,
      nodeId: `n${node}` as never,
      backingOff: false,
      count: 0,
    })),
  );
}

function hold(shards: ReaderShard[], owners: readonly number[]): HeldPartition[] {
  return owners.map((owner, partition) => {
    const shard = shards[owner % shards.length]!;
    shard.count++;
    return { topicId: 't' as never, partition, session: shard.session, shard: shard.shard };
  });
}

function settle(shards: ReaderShard[], held: HeldPartition[]): number {
  for (let moves = 0; ; moves++) {
    assert.ok(moves < 1000, 'moves come to an end');
    const move = balancingMove(held, shards);
    if (move === null) return moves;
    const i = held.indexOf(move.partition);
    const from = shards.find((s) => s.session === move.partition.session && s.shard === move.partition.shard)!;
    from.count--;
    move.to.count++;
    held[i] = { ...held[i]!, session: move.to.session, shard: move.to.shard };
  }
}

describe('partitions', () => {
  it('given out one by one spread over nodes first', () => {
    const shards = readers([3, 3, 3]);
    for (let i = 0; i < 3; i++) leastReader(shards).count++;
    assert.deepEqual(
      shards.map((s) => s.count),
      [1, 0, 0, 1, 0, 0, 1, 0, 0],
    );
  });

  it('end up even per shard, and per node as far as shards allow, in few moves', () => {
    const nodes = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(nodes, fc.array(fc.nat(19), { maxLength: 40 }), (shape, owners) => {
        const shards = readers(shape);
        const moves = settle(shards, hold(shards, owners));
        const counts = shards.map((s) => s.count);
        assert.ok(Math.max(...counts) - Math.min(...counts) <= 1, String(counts));
        assert.ok(moves <= owners.length * 2);
        if (shape.every((n) => n === shape[0])) {
          const perNode = shape.map((_, node) =>
            shards.filter((s) => s.session === node + 1).reduce((n, s) => n + s.count, 0),
          );
          assert.ok(Math.max(...perNode) - Math.min(...perNode) <= 1, String(perNode));
        }
      }),
      { numRuns: 500 },
    );
  });

  it('stay where they are when they were given out one by one', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 5 }),
        fc.nat(40),
        (perNode, nodes, count) => {
          const shards = readers(Array.from({ length: nodes }, () => perNode));
          const held: HeldPartition[] = [];
          for (let partition = 0; partition < count; partition++) {
            const to = leastReader(shards);
            to.count++;
            held.push({ topicId: 't' as never, partition, session: to.session, shard: to.shard });
          }
          assert.equal(balancingMove(held, shards), null);
        },
      ),
      { numRuns: 300 },
    );
  });
});
