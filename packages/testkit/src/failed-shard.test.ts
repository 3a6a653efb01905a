import assert from 'node:assert/strict';
import { test } from 'node:test';
import { beginLoneShard } from './lone-shard.test.ts';

test('a shard that fails in the midst of a frame writes, commits and applies nothing more', async () => {
  const applied: string[] = [];
  let failing = false;
  let answer = () => {};
  let backups = 0;
  const { time, feed, rowCount, committed, disk, end } = await beginLoneShard({
    users: ['a', 'b', 'c'],
    backupRowsMax: 1,
    storeHooks: {
      before: (operation) => {
        if (operation !== 'backup' || backups++ > 0) return;
        return new Promise<void>((resolve) => {
          answer = resolve;
        });
      },
    },
    onApply: (key) => {
      if (failing && key === 'b') throw new Error('the handler wants the job to stop');
      applied.push(key);
    },
  });
  for (const user of ['a', 'b', 'c']) await feed(user);
  await time.pass(5_000);
  assert.deepEqual([applied, backups], [['a', 'b', 'c'], 1], 'a round is under way: one row after the other');
  // Of one frame b's is applied to nobody, and c's is behind it.
  failing = true;
  await feed('b');
  await feed('c');
  await time.pass(1_000);
  failing = false;
  answer();
  await feed('c');
  await time.pass(60_000);
  assert.deepEqual(applied, ['a', 'b', 'c']);
  assert.equal(rowCount(), 1, 'the row that was on its way');
  assert.deepEqual([(await committed())?.offset ?? 0, disk.markers.size], [0, 0]);
  await end(1);
});

test('a shard that has failed applies nothing to a unit that is claimed then, and keeps the note of the record at which it did', async () => {
  const applied: string[] = [];
  const notes: string[] = [];
  let failing = false;
  let holds = false;
  let answer = () => {};
  const { time, feed, end } = await beginLoneShard({
    users: ['a', 'b', 'c'],
    storeHooks: {
      before: (operation) => {
        if (operation !== 'claim' || !holds) return;
        return new Promise<void>((resolve) => {
          answer = resolve;
        });
      },
    },
    crashNotes: {
      frame: (_, first, last) => void notes.push(`frame ${first}-${last}`),
      record: (_hi, _lo, _partition, offset) => void notes.push(`record ${offset}`),
      clear: () => void notes.push('clear'),
      isSuspect: () => false,
    },
    onApply: (key) => {
      if (failing) throw new Error('a fault of the engine');
      applied.push(key);
    },
  });
  await feed('b');
  await time.pass(1_000);
  holds = true;
  await feed('c');
  await time.pass(200);
  failing = true;
  await feed('b');
  await time.pass(200);
  failing = false;
  const noted = notes.at(-1);
  assert.notEqual(noted, 'clear');
  answer();
  await time.pass(1_000);
  assert.deepEqual([applied, notes.at(-1)], [['b'], noted]);
  await end(1);
});
