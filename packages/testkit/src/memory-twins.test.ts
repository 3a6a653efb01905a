import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RaftStorage } from '@holdfast/engine';
import { formatUnit } from '@holdfast/model';
import { backupStoreConformance } from './backup-store-conformance.ts';
import { crashFolderConformance } from './crash-folder-conformance.ts';
import { logConformance } from './log-conformance.ts';
import { MemoryBackupStore, MemoryStoreDisk } from './memory-backup-store.ts';
import { MemoryCrashFolder } from './memory-crash-folder.ts';
import { MemoryLog, MemoryLogDisk, type MemoryLogTime } from './memory-log.ts';
import { MemoryRaftDisk, MemoryRaftStorage } from './memory-raft-storage.ts';
import { raftStorageConformance } from './raft-storage-conformance.ts';

const realTime: MemoryLogTime = {
  monotonicMs: () => performance.now(),
  wallUnixMs: () => Date.now(),
  setTimer(delayMs, fn) {
    const timer = setTimeout(fn, delayMs);
    return () => clearTimeout(timer);
  },
};

logConformance('in memory', async () => {
  const disk = new MemoryLogDisk();
  return {
    open: async () => new MemoryLog(disk, realTime),
    deleteTopic: async (topic) => disk.deleteTopic(topic),
    createLimited: async (topic, recordBytesMax) => disk.createTopic(topic, 1, recordBytesMax),
    fencesCommits: true,
  };
});

backupStoreConformance('in memory', async () => {
  const disk = new MemoryStoreDisk();
  return {
    open: async () => new MemoryBackupStore(disk),
    lose: async () => disk.lose(),
    remember: async () => {
      const image = disk.image();
      return async () => disk.lose(image);
    },
    bend: async ({ hi, lo }, part) => void disk.bent.set(formatUnit(hi, lo), part),
  };
});

crashFolderConformance('in memory', async () => new MemoryCrashFolder());

raftStorageConformance('in memory', async () => {
  const disk = new MemoryRaftDisk();
  return {
    open: async () => new MemoryRaftStorage(disk),
    damage: async () => (disk.damaged = true),
  };
});

test('a lost reply has had its effect; a lost request has not', async () => {
  const disk = new MemoryStoreDisk();
  const life = disk.generationId;
  const row = { hi: 1, lo: 1, epoch: 2, seq: 1, row: new Uint8Array([1]), savedUnixMs: 0 };
  const fail = () => {
    throw new Error('cut');
  };
  await assert.rejects(new MemoryBackupStore(disk, { before: fail }).backup(life, [row]));
  assert.equal(disk.rows.size, 0);
  await assert.rejects(new MemoryBackupStore(disk, { after: fail }).backup(life, [row]));
  assert.equal(disk.rows.size, 1);
});

test('a store loses what came after an image', async () => {
  const disk = new MemoryStoreDisk();
  const store = new MemoryBackupStore(disk);
  const claim = async (lo: number) => store.claim(await store.generationId(), [{ hi: 0, lo, epoch: 1 }]);
  await claim(1);
  const image = disk.image();
  const before = await store.generationId();
  await claim(2);
  disk.lose(image);
  assert.notEqual(await store.generationId(), before);
  assert.ok((await store.read({ hi: 0, lo: 1 })) !== null);
  assert.equal(await store.read({ hi: 0, lo: 2 }), null);
});

test('a member that dies during a write finds the log without it', async () => {
  const disk = new MemoryRaftDisk();
  const write: Parameters<RaftStorage['persist']>[0] = {
    hardState: { term: 1, vote: null, commit: 0 },
    entries: [{ term: 1, index: 1, kind: 'data', data: new Uint8Array(1) }],
    snapshot: null,
  };
  const dying = new MemoryRaftStorage(disk, { before: () => new Promise<void>(() => undefined) });
  void dying.persist(write);
  const found = await new MemoryRaftStorage(disk).load();
  assert.equal(found.entries.length, 0);
  const failing = new MemoryRaftStorage(disk, {
    after: () => {
      throw new Error('disk');
    },
  });
  await assert.rejects(failing.persist(write), { code: 'IO' });
  await assert.rejects(failing.persist(write), { code: 'IO' }, 'no going on after a failure');
});
