import type { PlantedBug } from './planted-tests.ts';

const sealed = 'packages/processor/src/holder/sealed-units.test.ts';
const bentRows = 'packages/testkit/src/bent-rows.test.ts';
const faulty = 'packages/processor/src/holder/faulty-units.test.ts';
const startOffset = 'packages/testkit/src/start-offset.test.ts';

/** Bugs of units whose stored row can't be read (PROTOCOL.md 5.6), for unit tests. */
export const bentRowBugs: readonly PlantedBug[] = [
  {
    name: 'bent row: what can not be read passes for nothing',
    invariant: 'I1',
    file: 'packages/processor/src/holder/sealed-units.ts',
    find: 'const problem = row === null ? null : loadOrWhyNot(unit, row, job, partitions);',
    replace: 'const problem = row === null ? null : loadOrWhyNot(unit, row, job, partitions) && null;',
    tests: [sealed],
  },
  {
    name: 'bent row: its unit is sealed before it is in quarantine',
    invariant: 'I5',
    file: 'packages/processor/src/holder/sealed-units.ts',
    find: 'if (problem !== null && !quarantine.hasAll(unit.hi, unit.lo)) {',
    replace: 'if (problem !== null && unit.epoch < 0) {',
    tests: [sealed],
  },
  {
    name: 'bent row: a sealed unit is written',
    invariant: 'I6',
    file: 'packages/processor/src/holder/rounds.ts',
    find: 'if (unit.rowless) return;',
    replace: '',
    tests: [sealed],
  },
  {
    name: 'bent row: the lease of a sealed unit ends before its letters are in the log',
    invariant: 'I6',
    file: 'packages/processor/src/holder/closing-units.ts',
    find: 'else if (this.#rounds.isPublished(unit)) this.#markClosed(unit);',
    replace: 'else if (unit.held) this.#markClosed(unit);',
    tests: [sealed],
  },
  {
    name: 'bent row: a sealed unit buries on after its release',
    invariant: 'I5',
    file: 'packages/processor/src/holder/holder.ts',
    find: 'this.#sealed.check();\n    const slot',
    replace: 'const slot',
    tests: [sealed],
  },
  {
    name: 'bent row: what is sealed in one store stays so in the next',
    invariant: 'I6',
    file: 'packages/processor/src/holder/generation.ts',
    find: "if (unit.rowless && unit.phase === 'open') sealed.open(unit);",
    replace: '',
    tests: [sealed],
  },
  {
    name: 'bent row: a row that was not written counts',
    invariant: 'I6',
    file: 'packages/engine/src/shard/store-loop.ts',
    find: "else if (result.code === 'CORRUPT') holder.onRowCorrupt(row, result.problem);",
    replace: "else if (result.code === 'CORRUPT') holder.onRowAccepted(row, nowMs);",
    tests: [bentRows],
  },
  {
    name: 'bent row: a move that came to nothing forgets letters that are not in the log yet',
    invariant: 'I6',
    file: 'packages/processor/src/holder/closing-units.ts',
    find: '!this.#unpublished.has(unit) && ',
    replace: '',
    tests: [sealed],
  },
  {
    name: 'bent row: a unit whose lease ends clean all the same is waited for, for ever',
    invariant: 'I8',
    file: 'packages/processor/src/holder/holder.ts',
    find: 'for (const unit of this.#faulty) if (!this.#stillMine(unit)) this.#drop(unit);',
    replace: '',
    tests: [faulty],
  },
  {
    name: 'bent row: a job that can read nobody leaves the blame to a record',
    invariant: '6.3',
    file: 'packages/processor/src/holder/applier.ts',
    find: 'this.#notes.end();\n      throw tooMany;',
    replace: 'throw tooMany;',
    tests: [faulty],
  },
  {
    name: 'bent row: a beginning that can not be read is another one',
    invariant: 'I6',
    file: 'packages/engine/src/shard/beginning.ts',
    find: 'const claim = claimed.results[0]!;',
    replace:
      "const found = claimed.results[0]!;\n  const claim = (found.code === 'CORRUPT' ? { code: 'OK', row: null, markers: [] } : found) as typeof found;",
    tests: [startOffset],
  },
];
