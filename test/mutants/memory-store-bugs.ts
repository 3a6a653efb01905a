import type { PlantedBug } from './planted-tests.ts';

const twin = 'packages/testkit/src/memory-backup-store.ts';
const tests = ['packages/testkit/src/memory-twins.test.ts'];

/** Bugs of the in-memory twin, which simulations and tests of others rest on. The last three only random histories show. */
export const memoryStoreBugs: readonly PlantedBug[] = [
  {
    name: 'in-memory store: an equal seq overwrites',
    invariant: 'I2',
    file: twin,
    find: "      if (stored.epoch === epoch && stored.seq === seq) return { code: 'OK' };\n",
    replace: '',
    tests,
  },
  {
    name: 'in-memory store: a claim passes for a repeat after its own backup',
    invariant: 'I2',
    file: twin,
    find: 'stored?.epoch === epoch && stored.seq === 0',
    replace: 'stored?.epoch === epoch',
    tests,
  },
  {
    name: 'in-memory store: the least marker is that of all buckets but the last',
    invariant: 'I6',
    file: twin,
    find: 'bucket < bucketCount; bucket++',
    replace: 'bucket < bucketCount - 1; bucket++',
    tests,
  },
  {
    name: 'in-memory store: a call that names an earlier generation is refused when it is done',
    invariant: 'I3',
    file: twin,
    find: "return generationId === now ? { code: 'OK', results: apply() } :",
    replace: "const results = apply();\n      return generationId === now ? { code: 'OK', results } :",
    tests,
  },
  {
    name: 'in-memory store: a loss of everything spares the markers',
    invariant: 'I6',
    file: twin,
    find: 'this.markers = new Map([...(to?.markers ?? [])]',
    replace: 'this.markers = new Map([...(to?.markers ?? this.markers)]',
    tests,
  },
  {
    name: 'in-memory store: a loss of the last writes spares the rows',
    invariant: 'I6',
    file: twin,
    find: 'rows: new Map(this.rows),',
    replace: 'rows: this.rows,',
    tests,
  },
  {
    name: 'in-memory store: a claim forgets when the row was saved',
    invariant: 'I2',
    file: twin,
    find: '{ savedUnixMs: 0, row: null, ...stored, hi, lo, epoch, seq: 0 }',
    replace: '{ row: null, ...stored, savedUnixMs: 0, hi, lo, epoch, seq: 0 }',
    tests,
  },
];
