import assert from 'node:assert/strict';
import { it } from 'node:test';
import { nodeId, SeededRng } from '@holdfast/model';
import { incarnationOfStart } from '../incarnation.ts';
import type { MemberClaim } from '../member.ts';
import { metaWith } from '../test-meta.test.ts';
import { swimDefaults } from './options.ts';
import { SwimState } from './swim-state.ts';

function claimOf(id: string, startCounter: number): MemberClaim {
  const meta = metaWith({ uuid: `0000000${id}-0000-4000-8000-000000000000`, startCounter });
  const incarnation = incarnationOfStart(startCounter);
  return { id: nodeId(id), incarnation, state: 'alive', gossipAddress: `10.0.0.1:${startCounter}`, meta };
}

it('what is true again with each datagram is told now and then, however much comes that is no news', () => {
  const self = claimOf('a', 1);
  const options = { ...swimDefaults, id: self.id, seeds: [] };
  const state = new SwimState(options, self.gossipAddress, self.meta, 0, new SeededRng(1));
  state.outbox.splice(0);
  const table = ['b', 'c', 'd', 'e', 'f'].map((id) => claimOf(id, 1));
  let told = 0;
  for (let second = 1; second <= 100; second++) {
    for (const claim of [...table, claimOf('a', 2)]) state.step({ type: 'claim', claim }, second * 1_000);
    for (const effect of state.outbox.splice(0)) {
      assert.ok(effect.type === 'changed');
      told += effect.changes.filter(({ kind }) => kind === 'superseded').length;
    }
  }
  // Four at once, and one in ten seconds.
  assert.ok(told >= 12 && told <= 14, `told ${told} times`);
});
