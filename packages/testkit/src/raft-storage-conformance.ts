import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type RaftRestored, type RaftStorage, RaftStorageError } from '@holdfast/engine';
import { type ConfState, emptyRestored, type HardState, type RaftEntry, type Snapshot } from '@holdfast/raft';
import fc from 'fast-check';

/** How the suite makes what it tests: the disk of one member, empty. */
export interface RaftStorageHarness {
  /** What was opened before is closed, or its process has died. */
  open(): Promise<RaftStorage>;
  /** Changes a stored byte of that kind, if there is one; nobody has the disk open. @returns whether there was */
  damage(what: 'hardState' | 'entry' | 'snapshot'): Promise<boolean>;
  close?(): Promise<void>;
}

export interface RaftStorageConformanceOptions {
  /** Random histories to try; each has a harness of its own. */
  readonly histories?: number;
}

const hard = (term: number, vote: string | null = null, commit = 0): HardState => ({ term, vote, commit });
const entry = (index: number, term: number, text = `${term}/${index}`): RaftEntry => ({
  term,
  index,
  kind: index % 5 === 4 ? 'conf' : 'data',
  data: bytesOf(text),
});
/** A joint configuration, so that all its lists are kept. */
const conf: ConfState = {
  voters: ['n1', 'n2', 'n4'],
  votersOutgoing: ['n1', 'n2', 'n3'],
  learners: ['n5'],
  learnersNext: ['n3'],
  removed: ['n6', 'n0'],
};
const snap = (index: number, term: number, text = `state at ${index}`): Snapshot => {
  return { index, term, conf, data: bytesOf(text) };
};

type Step =
  | { readonly kind: 'append'; readonly back: number; readonly count: number; readonly vote: boolean }
  | { readonly kind: 'install'; readonly ahead: number; readonly count: number }
  | { readonly kind: 'compact'; readonly at: number; readonly keep: number }
  | { readonly kind: 'reopen' };

const steps: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('append' as const),
      back: fc.nat(4),
      count: fc.nat(5),
      vote: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('install' as const), ahead: fc.nat(6), count: fc.nat(2) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('compact' as const), at: fc.nat(5), keep: fc.nat(3) }) },
  { weight: 2, arbitrary: fc.constant({ kind: 'reopen' as const }) },
);

/** Checks that what `RaftStorage` promises is kept. Registers node:test tests. */
export function raftStorageConformance(
  name: string,
  makeHarness: () => Promise<RaftStorageHarness>,
  options: RaftStorageConformanceOptions = {},
): void {
  /** Runs with a disk of its own; `reopen` closes, opens and loads. */
  async function withStorage(
    run: (storage: RaftStorage, reopen: () => Promise<{ storage: RaftStorage; found: RaftRestored }>) => Promise<void>,
  ): Promise<void> {
    const harness = await makeHarness();
    let storage = await harness.open();
    try {
      assert.deepEqual(normal(await storage.load()), normal(emptyRestored));
      await run(storage, async () => {
        await storage.close();
        storage = await harness.open();
        return { storage, found: await storage.load() };
      });
    } finally {
      await storage.close();
      await harness.close?.();
    }
  }

  describe(`raft storage: ${name}`, () => {
    test('keeps entries and hard state', () =>
      withStorage(async (storage, reopen) => {
        await storage.persist({ hardState: hard(1, 'n1'), entries: [entry(1, 1), entry(2, 1, '')], snapshot: null });
        await storage.persist({ hardState: null, entries: [entry(3, 1)], snapshot: null });
        await storage.persist({ hardState: hard(2, null, 3), entries: [], snapshot: null });
        const { found } = await reopen();
        const entries = [entry(1, 1), entry(2, 1, ''), entry(3, 1)];
        assert.deepEqual(normal(found), normal({ hardState: hard(2, null, 3), snapshot: null, entries }));
      }));

    test('has an identity that stays', () =>
      withStorage(async (storage, reopen) => {
        assert.ok(storage.identity.length > 0);
        assert.equal((await reopen()).storage.identity, storage.identity);
      }));

    test('entries replace all from their first index on', () =>
      withStorage(async (storage, reopen) => {
        const five = [1, 2, 3, 4, 5].map((i) => entry(i, 1));
        await storage.persist({ hardState: hard(1), entries: five, snapshot: null });
        await storage.persist({ hardState: hard(2), entries: [entry(3, 2)], snapshot: null });
        const { found } = await reopen();
        assert.deepEqual(
          normal(found).entries,
          normal({ ...found, entries: [entry(1, 1), entry(2, 1), entry(3, 2)] }).entries,
        );
      }));

    test('compaction keeps the snapshot and the entries asked for', () =>
      withStorage(async (storage, reopen) => {
        const five = [1, 2, 3, 4, 5].map((i) => entry(i, 1));
        await storage.persist({ hardState: hard(1, null, 4), entries: five, snapshot: null });
        await storage.compact(snap(4, 1), 3);
        let { storage: next, found } = await reopen();
        const expected = { hardState: hard(1, null, 4), snapshot: snap(4, 1), entries: five.slice(2) };
        assert.deepEqual(normal(found), normal(expected));
        await next.persist({ hardState: null, entries: [entry(6, 1)], snapshot: null });
        await next.compact(snap(6, 1), 7);
        await next.persist({ hardState: null, entries: [entry(7, 1)], snapshot: null });
        ({ found } = await reopen());
        assert.deepEqual(normal(found), normal({ ...expected, snapshot: snap(6, 1), entries: [entry(7, 1)] }));
      }));

    test('a snapshot from the leader replaces the log', () =>
      withStorage(async (storage, reopen) => {
        await storage.persist({ hardState: hard(1), entries: [1, 2, 3, 4, 5].map((i) => entry(i, 1)), snapshot: null });
        await storage.persist({ hardState: hard(3), entries: [entry(4, 3)], snapshot: snap(3, 2) });
        let { storage: next, found } = await reopen();
        assert.deepEqual(normal(found), normal({ hardState: hard(3), snapshot: snap(3, 2), entries: [entry(4, 3)] }));
        await next.persist({ hardState: null, entries: [], snapshot: snap(90, 3) });
        await next.persist({ hardState: null, entries: [entry(91, 3)], snapshot: null });
        ({ found } = await reopen());
        assert.deepEqual(normal(found), normal({ hardState: hard(3), snapshot: snap(90, 3), entries: [entry(91, 3)] }));
      }));

    test('carries large snapshots and entries', () =>
      withStorage(async (storage, reopen) => {
        const large = { ...snap(1, 1), data: new Uint8Array(5 << 20).map((_, i) => i * 31) };
        const big = { ...entry(2, 1), data: new Uint8Array(1 << 20).fill(9) };
        await storage.persist({ hardState: hard(1), entries: [big], snapshot: large });
        const { found } = await reopen();
        assert.deepEqual(normal(found), normal({ hardState: hard(1), snapshot: large, entries: [big] }));
      }));

    test('writes made together land in their order', () =>
      withStorage(async (storage, reopen) => {
        const writes = Array.from({ length: 20 }, (_, i) => {
          return storage.persist({ hardState: hard(i + 1), entries: [entry(i + 1, i + 1)], snapshot: null });
        });
        await Promise.all(writes);
        const { found } = await reopen();
        assert.equal(found.hardState.term, 20);
        assert.equal(found.entries.length, 20);
      }));

    for (const what of ['hardState', 'entry', 'snapshot'] as const) {
      test(`damage to the ${what} is an error, never a shorter log`, async () => {
        const harness = await makeHarness();
        let storage = await harness.open();
        await storage.load();
        await storage.persist({
          hardState: hard(4, 'n2', 2),
          entries: [1, 2, 3].map((i) => entry(i, 4)),
          snapshot: null,
        });
        await storage.compact(snap(2, 4), 2);
        await storage.close();
        assert.ok(await harness.damage(what));
        await assert.rejects(
          async () => {
            storage = await harness.open();
            await storage.load();
          },
          (error) => error instanceof RaftStorageError && error.code === 'CORRUPT',
        );
        await storage.close();
        await harness.close?.();
      });
    }

    test('any history is found again', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(steps, { maxLength: 20 }), (history) =>
          withStorage(async (storage, reopen) => {
            let model: RaftRestored = emptyRestored;
            let term = 1;
            for (const step of history) {
              term++;
              const snapshotIndex = model.snapshot?.index ?? 0;
              const last = model.entries.at(-1)?.index ?? snapshotIndex;
              if (step.kind === 'append') {
                const first = Math.max(last + 1 - step.back, snapshotIndex + 1);
                const entries = Array.from({ length: step.count }, (_, i) => entry(first + i, term));
                const hardState = step.vote ? hard(term, `n${term}`) : null;
                await storage.persist({ hardState, entries, snapshot: null });
                const kept = model.entries.filter((e) => entries.length === 0 || e.index < first);
                model = { ...model, hardState: hardState ?? model.hardState, entries: [...kept, ...entries] };
              } else if (step.kind === 'install') {
                const snapshot = snap(snapshotIndex + 1 + step.ahead, term);
                const entries = Array.from({ length: step.count }, (_, i) => entry(snapshot.index + 1 + i, term));
                await storage.persist({ hardState: hard(term), entries, snapshot });
                model = { hardState: hard(term), snapshot, entries };
              } else if (step.kind === 'compact') {
                const at = Math.min(snapshotIndex + step.at, last);
                if (at === 0 || at <= snapshotIndex) continue;
                const firstKept = Math.max(1, at + 1 - step.keep);
                await storage.persist({ hardState: hard(term), entries: [], snapshot: null });
                await storage.compact(snap(at, term), firstKept);
                const entries = model.entries.filter((e) => e.index >= firstKept);
                model = { hardState: hard(term), snapshot: snap(at, term), entries };
              } else {
                const reopened = await reopen();
                storage = reopened.storage;
                assert.deepEqual(normal(reopened.found), normal(model));
              }
            }
            assert.deepEqual(normal((await reopen()).found), normal(model));
          }),
        ),
        { numRuns: options.histories ?? 100 },
      );
    });
  });
}

/** Bytes as plain arrays of one kind, whatever the adapter reads into. */
function normal(found: RaftRestored): RaftRestored {
  const plain = (data: Uint8Array) => new Uint8Array(data);
  return {
    hardState: found.hardState,
    snapshot: found.snapshot === null ? null : { ...found.snapshot, data: plain(found.snapshot.data) },
    entries: found.entries.map((e) => ({ ...e, data: plain(e.data) })),
  };
}

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
