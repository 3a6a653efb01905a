import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { UserQueryAnswer } from '@holdfast/engine';
import { isUnknown, lookUpUser } from './user-lookup.ts';

const holder = { nodeId: 'n1', shard: 0, session: 7, epoch: 9, tableIndex: 9 } as unknown as UserQueryAnswer['holder'];
const user = {
  epoch: 9,
  view: null,
  stateError: null,
  backupAgeMs: null,
  dirty: true,
  recordsPerSec: null,
  applied: {},
};

test('a user of whom the store has nothing is unknown only if nobody holds it, or its holder says so', () => {
  assert.equal(isUnknown({ holder: null, answer: null }), true);
  assert.equal(isUnknown({ holder, answer: { code: 'OK', user: null } }), true);
  assert.equal(isUnknown({ holder, answer: { code: 'OK', user } }), true);
  assert.equal(isUnknown({ holder, answer: { code: 'OK', user: { ...user, stateError: 'version 9' } } }), false);
  assert.equal(isUnknown({ holder, answer: { code: 'UNANSWERED', text: 'deadline' } as never }), false);
  assert.equal(isUnknown({ holder, answer: null }), false);
});

test('of whom nobody knows anything, only a confirmed view says that there is nobody', async () => {
  const parts = {
    nodeId: 'n1',
    control: {
      queryUser: async () => ({ holder: null, answer: null }),
      table: { quarantine: { isQuarantined: () => false } },
    },
    store: { read: async () => null },
    job: {},
  };
  const ask = (consistency: 'leader' | 'local') =>
    lookUpUser(Buffer.from('lea'), { ...parts, confirm: async () => consistency } as never);
  assert.equal(await ask('leader'), null);
  await assert.rejects(ask('local'), /^Error: not known here, and no leader confirms it$/);
});
