import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLogger } from '@holdfast/model';
import { LogCompaction, snapshotsBehindMax } from './log-compaction.ts';
import { VirtualTime } from './virtual-network.test.ts';

/** A life of a leader with a member that has nothing: takes snapshots of ten entries, and says from where on entries were kept. */
async function lead(startIndex: number, snapshots: number): Promise<number[]> {
  const keptFrom: number[] = [];
  const away = { snapshot: null, match: 0 };
  const conf = { voters: ['n1'], votersOutgoing: [], learners: ['n2'], learnersNext: [], removed: [] };
  const compaction = new LogCompaction({
    raft: {
      status: () => ({ progress: new Map([['n2', away]]) }) as never,
      compact: (index, data) => ({ index, term: 1, conf, data }),
    },
    storage: {
      compact: async (_, first) => {
        keptFrom.push(first);
      },
    },
    machine: { snapshot: () => new Uint8Array(1) },
    timers: new VirtualTime(),
    logger: silentLogger,
    rule: { entriesMax: 10, bytesMax: 1_000_000, trailingEntries: 2 },
    startIndex,
    onFailed: (error) => assert.fail(String(error)),
  });
  for (let i = 1; i <= snapshots * 10; i++) {
    compaction.applied({ index: startIndex + i, term: 1, kind: 'data', data: new Uint8Array(1) });
    compaction.takeIfDue(startIndex + i);
    await compaction.settled();
  }
  return keptFrom;
}

test('a member that has nothing is waited for as long as that costs the entries of a few snapshots', async () => {
  const keptFrom = await lead(0, snapshotsBehindMax + 2);
  assert.deepEqual(keptFrom, [1, 1, 1, 1, 48, 58]);
});

test('who is started again and again, and leads each time, drops entries all the same', async () => {
  assert.deepEqual(await lead(1_000, 2), [1_008, 1_018]);
});
