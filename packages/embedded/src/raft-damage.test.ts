import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type RaftRestored, RaftStorageError } from '@holdfast/engine';
import { randomBelow, SeededRng } from '@holdfast/model';
import { simpleConf } from '@holdfast/raft';
import { LmdbRaftStorage } from './lmdb-raft-storage.ts';
import { encodeHardState } from './raft-codec.ts';
import { temporaryFolder } from './test-support.test.ts';

const { dir, remove } = temporaryFolder();
after(remove);
const whole = join(dir, 'whole');
let bytes = Buffer.alloc(0);
let expected = '';

before(async () => {
  const storage = await LmdbRaftStorage.open(whole);
  await storage.load();
  const data = (i: number) => new Uint8Array((i * 997) % 9_000).fill(i);
  for (let i = 1; i <= 30; i++) {
    const hardState = { term: i, vote: `n${i % 3}`, commit: i - 1 };
    await storage.persist({
      hardState,
      entries: [{ term: i, index: i, kind: i % 7 === 0 ? 'conf' : 'data', data: data(i) }],
      snapshot: null,
    });
  }
  await storage.compact({ index: 20, term: 20, conf: simpleConf(['n0', 'n1', 'n2']), data: data(9_999) }, 15);
  expected = textOf(await storage.load());
  await storage.close();
  bytes = readFileSync(join(whole, 'data.mdb'));
});

/** What a start finds in a file of these bytes. */
async function outcome(content: Uint8Array): Promise<'same' | 'CORRUPT' | 'other'> {
  const path = join(dir, 'copy');
  rmSync(path, { recursive: true, force: true });
  mkdirSync(path);
  writeFileSync(join(path, 'data.mdb'), content);
  let storage: LmdbRaftStorage | null = null;
  try {
    storage = await LmdbRaftStorage.open(path);
    return textOf(await storage.load()) === expected ? 'same' : 'other';
  } catch (error) {
    if (error instanceof RaftStorageError && error.code === 'CORRUPT') return 'CORRUPT';
    throw error;
  } finally {
    await storage?.close();
  }
}

function textOf(found: RaftRestored): string {
  return JSON.stringify(found, (_, value) =>
    value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value,
  );
}

test('an undamaged copy is the same', async () => {
  assert.equal(await outcome(bytes), 'same');
});

test('a file cut anywhere is the same log or an error, never a shorter log', async () => {
  const seen = new Set<string>();
  for (let end = 0; end < bytes.length; end += 1_777) {
    const found = await outcome(bytes.subarray(0, end));
    assert.notEqual(found, 'other', `cut at ${end} of ${bytes.length}`);
    seen.add(found);
  }
  assert.ok(seen.has('CORRUPT'));
});

/** The same with one bit flipped. */
function flipped(at: number, bit: number): Buffer {
  const damaged = Buffer.from(bytes);
  damaged[at]! ^= 1 << bit;
  return damaged;
}

test('a flipped bit of a meta page is found or does no harm: no older vote comes back, and no process dies', async () => {
  const pageBytes = bytes.readUInt32LE(48);
  // The root of the tables, the last page, the transaction; and the rest of what LMDB reads there, at random.
  const bits = Array.from({ length: 24 * 8 }, (_, i) => 136 * 8 + i);
  const rng = new SeededRng(7);
  for (let i = 0; i < 60; i++) bits.push(24 * 8 + randomBelow(rng, 112 * 8));
  const seen = { same: 0, CORRUPT: 0, other: 0 };
  for (const page of [0, 1]) {
    for (const bit of bits) seen[await outcome(flipped(page * pageBytes + (bit >> 3), bit & 7))]++;
  }
  assert.equal(seen.other, 0);
  assert.ok(seen.CORRUPT > 300, JSON.stringify(seen));
});

test('a flipped bit in stored values is found or does no harm', async () => {
  const rng = new SeededRng(3);
  let found = 0;
  // Inside the pages of values: a run of equal bytes of an entry's data.
  for (let i = 15; i <= 30; i++) {
    const size = (i * 997) % 9_000;
    const at = bytes.lastIndexOf(Buffer.alloc(Math.min(size, 200), i));
    assert.ok(at > 0);
    const result = await outcome(flipped(at + randomBelow(rng, 100), randomBelow(rng, 8)));
    assert.notEqual(result, 'other', `entry ${i}`);
    if (result === 'CORRUPT') found++;
  }
  assert.ok(found >= 12, `only ${found} found`);
});

test('a flipped bit in the stored vote is found, whichever it is (F24)', async () => {
  const stored = encodeHardState({ term: 30, vote: 'n0', commit: 29 });
  // A page that LMDB has left may hold it too.
  const places: number[] = [];
  for (let at = bytes.indexOf(stored); at >= 0; at = bytes.indexOf(stored, at + 1)) places.push(at);
  assert.ok(places.length > 0);
  for (let bit = 0; bit < stored.length * 8; bit++) {
    const damaged = Buffer.from(bytes);
    for (const at of places) damaged[at + (bit >> 3)]! ^= 1 << (bit & 7);
    assert.equal(await outcome(damaged), 'CORRUPT', `bit ${bit} of ${stored.length} bytes`);
  }
});

test('a missing file is an error too', async () => {
  const path = join(dir, 'missing');
  mkdirSync(path);
  copyFileSync(join(whole, 'lock.mdb'), join(path, 'lock.mdb'));
  await assert.rejects(LmdbRaftStorage.open(path), { code: 'CORRUPT' });
});
