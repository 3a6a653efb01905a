import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { randomBelow, SeededRng } from '@holdfast/model';
import fc from 'fast-check';
import {
  type BalanceShard,
  defaultRebalanceOptions,
  planRound,
  type RebalanceOptions,
  roundBudget,
} from './rebalance.ts';

type Shard = { -readonly [K in keyof BalanceShard]: BalanceShard[K] };

const shardsOf = (units: readonly number[]): Shard[] =>
  units.map((count, i) => ({
    session: (i + 1) as never,
    shard: 0 as never,
    nodeId: `n${i}` as never,
    units: count,
    receives: true,
    leaves: false,
  }));

const options = defaultRebalanceOptions;

/** Runs rounds until none moves anything; checks each against the budget. */
function settle(shards: Shard[], given: RebalanceOptions = options, paused = false): number {
  let balancing = false;
  for (let rounds = 0; ; rounds++) {
    assert.ok(rounds < 200, 'rounds come to an end');
    const round = planRound({ shards, paused, balancing }, given);
    ({ balancing } = round);
    if (round.moves.length === 0) return rounds;
    apply(shards, round.moves, given);
  }
}

function apply(shards: Shard[], moves: ReturnType<typeof planRound>['moves'], given: RebalanceOptions): void {
  const budget = roundBudget(shards, given);
  let moved = 0;
  const gave = new Set<number>();
  const got = new Set<number>();
  for (const { from, to, count } of moves) {
    const source = shards.find(({ session }) => session === from.session)!;
    const target = shards.find(({ session }) => session === to.session)!;
    assert.ok(count > 0 && source.units >= count && source !== target);
    assert.ok(target.receives && !target.leaves);
    source.units -= count;
    target.units += count;
    moved += count;
    gave.add(from.session);
    got.add(to.session);
  }
  assert.ok(moved <= budget, `${moved} moved with a budget of ${budget}`);
  for (const session of gave) assert.ok(!got.has(session), 'nobody gives and gets in one round');
}

const loads = fc.array(fc.nat(200_000), { minLength: 1, maxLength: 12 });

describe('rebalancing', () => {
  it('evens out any loads in a bounded number of rounds, and loses nothing', () => {
    fc.assert(
      fc.property(loads, (units) => {
        const shards = shardsOf(units);
        const total = units.reduce((a, b) => a + b, 0);
        // At most all units have to move, 9 % a round.
        assert.ok(settle(shards) <= 13);
        assert.equal(
          shards.reduce((sum, shard) => sum + shard.units, 0),
          total,
        );
        const mean = total / shards.length;
        for (const shard of shards) assert.ok(Math.abs(shard.units - mean) <= mean * 0.25 + options.slack);
        assert.equal(settle(shards), 0, 'what is even stays');
      }),
    );
  });

  it('a fourth node gets its share in three rounds', () => {
    const shards = shardsOf([40_000, 40_000, 40_000, 0]);
    assert.equal(settle(shards), 3);
    for (const { units } of shards) assert.ok(Math.abs(units - 30_000) <= 1_500 + 64, `${units}`);
  });

  it('empties a node that drains, whatever else goes on, and gives it nothing', () => {
    fc.assert(
      fc.property(loads, fc.nat(11), fc.boolean(), (units, which, paused) => {
        const shards = shardsOf([...units, 5_000]);
        const leaving = shards[which % shards.length]!;
        if (shards.length < 2) return;
        leaving.leaves = true;
        leaving.receives = false;
        settle(shards, options, paused);
        assert.equal(leaving.units, 0);
      }),
    );
  });

  it('moves nothing while paused, and nothing to or from the silent', () => {
    fc.assert(
      fc.property(loads, (units) => {
        assert.deepEqual(planRound({ shards: shardsOf(units), paused: true, balancing: true }, options).moves, []);
        const shards = shardsOf(units);
        shards[0]!.receives = false;
        const { moves } = planRound({ shards, paused: false, balancing: true }, options);
        for (const { from, to } of moves) assert.ok(from.session !== 1 && to.session !== 1);
      }),
    );
  });

  it('noise below the hysteresis never begins a round, and never keeps one going', () => {
    const rng = new SeededRng(7);
    const shards = shardsOf([10_000, 10_000, 10_000, 10_000]);
    let balancing = false;
    for (let i = 0; i < 2_000; i++) {
      for (const shard of shards) shard.units = 10_000 + randomBelow(rng, 2_000) - 1_000;
      const round = planRound({ shards, paused: false, balancing }, options);
      ({ balancing } = round);
      assert.deepEqual(round.moves, []);
    }
  });

  it('does not go back and forth while units come and go', () => {
    const rng = new SeededRng(11);
    const shards = shardsOf([60_000, 20_000, 10_000]);
    let balancing = false;
    let rounds = 0;
    const directions = new Set<string>();
    for (let i = 0; i < 300; i++) {
      const round = planRound({ shards, paused: false, balancing }, options);
      ({ balancing } = round);
      if (round.moves.length > 0) rounds++;
      for (const { from, to } of round.moves) directions.add(`${from.session}>${to.session}`);
      apply(shards, round.moves, options);
      for (const shard of shards) shard.units = Math.max(0, shard.units + randomBelow(rng, 601) - 300);
    }
    assert.ok(rounds <= 20, `${rounds} rounds`);
    assert.ok(!directions.has('2>1') && !directions.has('3>1'));
  });
});
