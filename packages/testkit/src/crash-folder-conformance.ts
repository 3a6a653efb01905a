import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { CrashReports } from '@holdfast/engine';
import { type PartitionId, topicId } from '@holdfast/model';
import type { CrashNotes } from '@holdfast/processor';
import fc from 'fast-check';

/** A node's place for notes of what it applies, over all its starts. */
export interface CrashFolder {
  /** A process begins; the one before has ended, no matter how. */
  start(): CrashFolderStart;
  close?(): Promise<void>;
}

export interface CrashFolderStart {
  readonly reports: CrashReports;
  /** Of one shard under one incarnation. */
  notes(shard: number, counter: number): CrashNotes;
}

const topic = topicId('6f9619ff-8b86-d011-b42d-00c04fc964ff');
const partitionOf = (partition: number): PartitionId => ({ topicId: topic, partition });
const offset = fc.integer({ min: 0, max: 2 ** 48 });
const half = fc.integer({ min: 0, max: 2 ** 32 - 1 });

/** What holders and the control plane rely on, for every adapter and the twin. */
export function crashFolderConformance(name: string, make: () => Promise<CrashFolder>): void {
  const withFolder = async (act: (folder: CrashFolder) => Promise<void>): Promise<void> => {
    const folder = await make();
    try {
      await act(folder);
    } finally {
      await folder.close?.();
    }
  };

  describe(`crash folder: ${name}`, () => {
    test('a process that ends between two frames leaves nothing', () =>
      withFolder(async (folder) => {
        const first = folder.start();
        const notes = first.notes(0, 1);
        assert.deepEqual(first.reports.pending, []);
        notes.frame(partitionOf(1), 10, 20);
        notes.clear();
        notes.record(1, 2, partitionOf(1), 21);
        notes.clear();
        const second = folder.start();
        assert.deepEqual(second.reports.pending, []);
        assert.equal(second.notes(0, 2).isSuspect(partitionOf(1), 0, 100), false);
      }));

    test('a record that ended a process is told until the leader has it, whatever it is', () =>
      fc.assert(
        fc.asyncProperty(half, half, fc.nat(1_000), offset, fc.integer({ min: 1 }), (hi, lo, partition, at, counter) =>
          withFolder(async (folder) => {
            folder.start().notes(3, counter).record(hi, lo, partitionOf(partition), at);
            const crash = { kind: 'record', hi, lo, topicId: topic, partition, offset: at, counter };
            assert.deepEqual(folder.start().reports.pending, [crash]);
            const { reports } = folder.start();
            assert.deepEqual(reports.pending, [crash], 'also by the next start');
            reports.told();
            assert.deepEqual(reports.pending, []);
            assert.deepEqual(folder.start().reports.pending, []);
          }),
        ),
        { numRuns: 25 },
      ));

    test('the later note counts, of each shard its own', () =>
      withFolder(async (folder) => {
        const { notes } = folder.start();
        const [one, other] = [notes(0, 7), notes(1, 7)];
        one.frame(partitionOf(0), 1, 1_000_000);
        one.record(5, 6, partitionOf(0), 11);
        one.record(7, 8, partitionOf(0), 12);
        other.record(9, 10, partitionOf(2), 13);
        const { pending } = folder.start().reports;
        assert.deepEqual(pending.map((note) => note.kind === 'record' && note.hi).sort(), [7, 9]);
      }));

    test('a frame that ended a process is told, and its range suspect for every shard and later start, and nothing else', () =>
      withFolder(async (folder) => {
        folder.start().notes(0, 1).frame(partitionOf(4), 100, 199);
        for (let start = 0; start < 2; start++) {
          const { reports, notes } = folder.start();
          const frame = { kind: 'frame', ...partitionOf(4), first: 100, last: 199, counter: 1 };
          assert.deepEqual(reports.pending, start === 0 ? [frame] : [], 'once the leader has it no more');
          const suspects = (first: number, last: number, partition = 4): boolean =>
            notes(1, 2 + start).isSuspect(partitionOf(partition), first, last);
          const asked = [suspects(0, 99), suspects(0, 100), suspects(150, 150), suspects(199, 300), suspects(200, 300)];
          assert.deepEqual(asked, [false, true, true, true, false]);
          assert.equal(suspects(100, 199, 5), false);
          reports.told();
        }
      }));

    test('crashes and suspicions are bounded, the latest stay', () =>
      withFolder(async (folder) => {
        for (let n = 0; n < 70; n++) {
          const { notes } = folder.start();
          notes(0, n).record(n, n, partitionOf(0), n);
          for (let shard = 1; shard < 10; shard++) notes(shard, n).frame(partitionOf(n * 10 + shard), 0, 10);
        }
        const { reports, notes } = folder.start();
        const { pending } = reports;
        const named = pending.filter(({ kind }) => kind === 'record');
        assert.deepEqual([pending.length, named.length, named[0]!.counter], [512, 70, 0], 'frames are the first to go');
        assert.equal(pending.findLast(({ kind }) => kind === 'frame')!.counter, 69);
        const asked = notes(2, 99);
        const isSuspect = (partition: number): boolean => asked.isSuspect(partitionOf(partition), 5, 5);
        assert.deepEqual([isSuspect(1), isSuspect(699)], [false, true]);
      }));
  });
}
