import assert from 'node:assert/strict';
import { it } from 'node:test';
import { nodeId, SeededRng } from '@holdfast/model';
import { incarnationOfStart } from '../incarnation.ts';
import type { MemberClaim } from '../member.ts';
import { metaWith } from '../test-meta.test.ts';
import { swimDefaults } from './options.ts';
import { type SwimEvent, stepSwim } from './swim-core.ts';
import { SwimState } from './swim-state.ts';

function claimOf(id: string, gossipAddress: string): MemberClaim {
  const meta = metaWith({ uuid: `0000000${id}-0000-4000-8000-000000000000` });
  return { id: nodeId(id), incarnation: incarnationOfStart(1), state: 'alive', gossipAddress, meta };
}

it('a seed that is given by name is asked for by it until a member is known at its address', () => {
  const rng = new SeededRng(1);
  const self = claimOf('a', '10.0.0.1:7401');
  const b = claimOf('b', '10.0.0.2:7401');
  const seeds = ['a.test:7401', 'b.test:7401'];
  const state = new SwimState({ ...swimDefaults, id: self.id, seeds }, self.gossipAddress, self.meta, 0, rng);
  const sentTo = (event: SwimEvent, nowMs: number) =>
    stepSwim(state, event, nowMs, rng).flatMap((effect) => (effect.type === 'send' ? [effect.to] : []));
  assert.deepEqual(sentTo({ type: 'tick' }, 0), seeds);
  assert.deepEqual(sentTo({ type: 'tick' }, 100), []);
  sentTo({ type: 'seedFound', seed: 'a.test:7401', address: self.gossipAddress }, 150);
  sentTo({ type: 'seedFound', seed: 'b.test:7401', address: b.gossipAddress }, 150);
  assert.deepEqual(sentTo({ type: 'tick' }, 200), ['b.test:7401'], 'at once');
  const packet = { from: b.id, message: { type: 'news' }, news: [{ claim: b, ageMs: 0, accusers: [] }] } as const;
  sentTo({ type: 'packet', packet, source: b.gossipAddress }, 300);
  const until = (endMs: number, more: () => void = () => {}) => {
    const to = new Set<string>();
    while (nowMs < endMs) {
      for (const address of sentTo({ type: 'tick' }, (nowMs += 100))) to.add(address);
      more();
    }
    return [...to];
  };
  let nowMs = 300;
  assert.deepEqual(
    until(20_000, () => sentTo({ type: 'packet', packet, source: b.gossipAddress }, nowMs)),
    [b.gossipAddress],
  );
  assert.ok(until(60_000).includes('b.test:7401'), 'dead, it may have moved');
});
