import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bucketOf, type Unit } from '@holdfast/model';
import { storeLook } from './store-look.ts';

function storeOf(first: string) {
  const asked: string[] = [];
  const buckets = new Set<number>();
  const store = {
    generation: first,
    isThere: true,
    async generationId() {
      asked.push('generation');
      if (!store.isThere) throw new Error('no answer');
      return store.generation;
    },
    async read({ hi, lo }: Unit) {
      asked.push('row');
      buckets.add(bucketOf(hi, lo));
      if (!store.isThere) throw new Error('no answer');
      return null;
    },
  };
  return { store, asked, buckets };
}

test('the store is asked for one row of each bucket in turn, and for all of it now and then', async () => {
  const { store, asked, buckets } = storeOf('a');
  const look = storeLook(store, () => 'a');
  for (let i = 0; i < 20; i++) await look();
  assert.equal(asked.filter((what) => what === 'generation').length, 4);
  assert.equal(buckets.size, 16);
});

test('one that failed is asked for all of it until it answers', async () => {
  const { store, asked } = storeOf('a');
  const look = storeLook(store, () => 'a');
  await look();
  store.isThere = false;
  for (let i = 0; i < 3; i++) await assert.rejects(look, /no answer/);
  store.isThere = true;
  await look();
  await look();
  assert.deepEqual(asked, ['generation', 'row', 'generation', 'generation', 'generation', 'generation']);
});

test('a store of another generation than the log is at is not there, whatever it answers', async () => {
  const { store } = storeOf('b');
  let current = '';
  const look = storeLook(store, () => current);
  await look();
  current = 'a';
  for (let i = 0; i < 4; i++) await look();
  for (let i = 0; i < 7; i++) await assert.rejects(look, /another generation than the log's/);
  store.generation = 'a';
  await look();
});
