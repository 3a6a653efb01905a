import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BackupStore } from '@holdfast/engine';
import { encodeUtf8, hashUnit, unitHashOut } from '@holdfast/model';
import { encodeRow } from '@holdfast/processor';
import { compileProcessor, defineProcessor, z } from '@holdfast/sdk';
import { exportUsers } from './export-users.ts';

interface State {
  total: bigint;
  by: Map<string, number>;
}

const job = compileProcessor(
  defineProcessor({
    name: 'totals',
    version: '1',
    input: { logs: { topic: 'logs', schema: z.object({ user: z.string() }), key: (e) => e.user } },
    state: { version: 1, initial: (): State => ({ total: 0n, by: new Map() }), idle: '1d' },
    onEvent: { logs() {} },
    view(state, user) {
      const cycle: unknown[] = [];
      return user === 'bob' ? [cycle.push(cycle), cycle] : { user, ...state };
    },
  }),
);

/** @param lost what the store does when all of it was scanned, or at a place within: another life, or less of what it had */
function storeOf(
  states: Readonly<Record<string, State>>,
  lost: { readonly at: number; readonly life: string } | null = null,
): BackupStore {
  const rows = Object.entries(states).map(([name, state]) => {
    const key = encodeUtf8(name);
    hashUnit(key, 0, key.length);
    const users = [{ key, job: 'totals', state: job.encodeState(state) }];
    return { ...unitHashOut, row: encodeRow({ vector: [], users }) };
  });
  let life = 'first';
  const store = {
    generationId: async () => life,
    async *scan() {
      for (let i = 0; i <= rows.length; i++) {
        if (i === lost?.at) {
          life = lost.life;
          rows.splice(0);
        }
        if (i < rows.length) yield rows[i];
      }
    },
    read: async ({ hi, lo }: { hi: number; lo: number }) => rows.find((row) => row.hi === hi && row.lo === lo) ?? null,
  };
  return store as unknown as BackupStore;
}

test('an export goes on at a user whose state has more than JSON, and names the one that can not be shown', async () => {
  const by = new Map([['Oslo', 2]]);
  const store = storeOf({ carol: { total: 3n, by }, alice: { total: 1n, by }, bob: { total: 2n, by } });
  const lines: string[] = [];
  const all = async () => {
    for await (const view of exportUsers(store, job)) lines.push(JSON.stringify(view));
  };
  await assert.rejects(all, /users whose state can't be shown are missing: bob \(it contains itself/);
  assert.deepEqual(lines, [
    '{"user":"alice","total":"1","by":{"Oslo":2}}',
    '{"user":"carol","total":"3","by":{"Oslo":2}}',
  ]);
});

test('an export says so when the store is lost while it is read, at whatever place', async () => {
  const by = new Map([['Oslo', 2]]);
  const states = { alice: { total: 1n, by }, carol: { total: 3n, by } };
  const shown = async (lost: { at: number; life: string }) => {
    let count = 0;
    try {
      for await (const _ of exportUsers(storeOf(states, lost), job)) count++;
    } catch (error) {
      return [count, (error as Error).message];
    }
    return [count, null];
  };
  const [count, text] = await shown({ at: 2, life: 'first' });
  assert.equal(count, 0);
  assert.match(String(text), /^the store has no state any more of users that it had a moment ago: 2 of 2 users are/);
  assert.match(
    String((await shown({ at: 2, life: 'second' }))[1]),
    /another generation of it answers: 2 of 2 users are/,
  );
  // Of whom the scan had not come to, nobody knows but by the generation.
  assert.match(
    String((await shown({ at: 0, life: 'second' }))[1]),
    /another generation of it answers: 0 of 0 users are/,
  );
});
