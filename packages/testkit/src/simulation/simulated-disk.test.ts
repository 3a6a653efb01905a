import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeededRng } from '@holdfast/model';
import type { RaftEntry } from '@holdfast/raft';
import { SimulatedDisk } from './simulated-disk.ts';
import { Trace } from './trace.ts';
import { VirtualProcess } from './virtual-process.ts';
import { VirtualTime } from './virtual-time.ts';

function setup(seed: number) {
  const time = new VirtualTime(new SeededRng(seed), new Trace(false));
  const crashed: string[] = [];
  const disk = new SimulatedDisk('d1n1', time, new SeededRng(seed), {
    onSynced: () => {},
    onWriting: () => {},
    onCrashed: (what) => crashed.push(what),
  });
  const process = new VirtualProcess('p', time, 1, 0);
  return { time, disk, process, crashed, storage: disk.open(process), run: (ms: number) => time.run(ms, () => false) };
}

const write = (index: number, term = 1) => {
  const entry: RaftEntry = { index, term, kind: 'data', data: Uint8Array.of(index) };
  return { hardState: { term, vote: null, commit: 0 }, entries: [entry], snapshot: null };
};

test('what was answered is synced, and later entries replace it', async () => {
  const { disk, storage, run } = setup(1);
  const done = Promise.all([storage.persist(write(1)), storage.persist(write(2)), storage.persist(write(2, 2))]);
  await run(100);
  await done;
  assert.deepEqual(
    disk.synced.entries.map(({ index, term }) => [index, term]),
    [
      [1, 1],
      [2, 2],
    ],
  );
});

test('a crash keeps what was synced and, by chance, what was on its way', async () => {
  const kept = new Set<number>();
  for (let seed = 1; seed <= 40; seed++) {
    const { disk, storage, process, run } = setup(seed);
    void storage.persist(write(1));
    await run(50);
    void storage.persist(write(2));
    await run(50 + seed / 10);
    process.isAlive = false;
    disk.crash();
    await run(200);
    assert.ok(disk.synced.entries.length >= 1);
    kept.add(disk.synced.entries.length);
  }
  assert.deepEqual([...kept].sort(), [1, 2]);
});

test('a sync that fails rejects, and so does all after it', async () => {
  const { disk, storage, run } = setup(1);
  disk.syncsFailUntilMs = 100;
  const first = assert.rejects(storage.persist(write(1)), { code: 'IO' });
  const second = assert.rejects(storage.persist(write(2)), { code: 'IO' });
  await run(300);
  await Promise.all([first, second]);
  assert.equal(disk.hasFailed, true);
  assert.deepEqual(disk.synced.entries, []);
});

test('a damaged disk says so', async () => {
  const { disk, storage, run } = setup(1);
  disk.isCorrupt = true;
  const load = assert.rejects(storage.load(), { code: 'CORRUPT' });
  await run(10);
  await load;
});
