import type { PlantedBug } from './planted-bugs.ts';

const readings = 'processor/src/ingest/readings.ts';
const holder = 'processor/src/holder/holder.ts';
const generation = 'processor/src/holder/generation.ts';
const unitRow = 'processor/src/holder/unit-row.ts';
const applier = 'processor/src/holder/applier.ts';
const markerBook = 'processor/src/holder/marker-book.ts';

/** Bugs of markers, and of what is done when the store has lost something, for the simulation of the records. In the order of the rules. */
export const plantedMarkerBugs: readonly PlantedBug[] = [
  {
    name: 'pruned above the marker',
    rule: '5.7',
    file: unitRow,
    find: 'unit.prune((slot) => Math.max(markers.floor(bucket, slot), unit.floors?.[slot] ?? 0));',
    replace: 'unit.prune((slot) => Math.max(markers.floor(bucket, slot), unit.floors?.[slot] ?? 0) + 2);',
    caughtBy: ['I7 twice'],
  },
  {
    name: 'the record at the marker is a duplicate',
    rule: '5.7',
    file: applier,
    find: 'if (offset < floor ||',
    replace: 'if (offset <= floor ||',
    caughtBy: ['I6 commit', 'I7 gap'],
  },
  {
    name: 'a marker from what was taken, not from what frames told',
    rule: '5.7',
    file: holder,
    find: 'this.#markers.tell(slot, frame.durableWatermark);',
    replace: 'this.#markers.tell(slot, frame.baseOffset);',
    caughtBy: ['I6 commit', 'I7 gap'],
  },
  {
    name: 'a loaded row does not take the markers of its bucket',
    rule: '5.7',
    file: holder,
    find: 'this.claimFloors.add(unit, markers);',
    replace: '',
    seenAt: ['focus', 1662],
    caughtBy: ['I7 twice'],
  },
  {
    name: 'told watermarks outlive a generation entry',
    rule: '5.7',
    file: markerBook,
    find: 'this.#told.length = 0;',
    replace: '',
    caughtBy: ['I6 commit', 'I7 gap'],
  },
  {
    name: 'confirmed markers outlive a generation entry',
    rule: '5.7',
    file: markerBook,
    find: 'this.#told.length = 0;\n    this.#confirmed = new Array(bucketCount);',
    replace: 'this.#told.length = 0;',
    caughtBy: ['I6 commit', 'I7 gap'],
  },
  {
    name: 'a frame from before a generation entry tells its watermark',
    rule: '5.7',
    file: holder,
    find: 'if (isRead && frame.tableIndex >= this.#leases.generationIndex()) this.#markers.tell',
    replace: 'if (isRead) this.#markers.tell',
    caughtBy: ['I6 commit', 'I7 gap'],
  },
  {
    name: 'what the markers stood for is not written down at a generation entry',
    rule: '5.8',
    file: generation,
    find: 'if (floor - 1 > unit.appliedOffset(slot)) unit.setApplied(slot, floor - 1);',
    replace: '',
    caughtBy: ['I7 twice'],
  },
  {
    name: 'only unconfirmed rows are written again after a loss',
    rule: '5.8',
    file: generation,
    find: '    rounds.changed(unit, nowMs);\n    if (unit.phase',
    replace: '    if (unit.phase',
    caughtBy: ['I6 commit', 'I7 gap', 'I8 stall'],
  },
  {
    name: 'a round under way outlives a generation entry',
    rule: '5.8',
    file: generation,
    find: 'rounds.void();',
    replace: '',
    caughtBy: ['I6 commit', 'I8 stall'],
  },
  {
    name: 'closed units are not written again after a loss',
    rule: '5.8',
    file: generation,
    find: "if (unit.phase !== 'open' && unit.phase !== 'faulty') closing.reopenWriting(unit);",
    replace: '',
    caughtBy: ['I6 commit', 'I7 gap', 'I6 lease end'],
  },
  {
    name: 'readings go on over a generation entry',
    rule: '5.8',
    file: readings,
    find: 'for (const reading of [...this.#partitions.values()]) this.lose(reading);',
    replace: '',
    caughtBy: ['I6 commit', 'I7 gap'],
  },
  {
    name: 'a claim opens its unit over markers of an older generation',
    rule: '5.8',
    file: holder,
    find: 'this.#checkGeneration(nowMs);\n    if (ofIndex !== this.generationIndex) return;\n    const unit = this.#units.get(claim.hi, claim.lo);',
    replace: 'const unit = this.#units.get(claim.hi, claim.lo);',
    seenAt: ['focus', 745],
    caughtBy: ['I6 commit', 'I7 gap'],
  },
  {
    name: 'rows are pruned by markers of an older generation',
    rule: '5.8',
    file: holder,
    find: 'this.#checkGeneration(nowMs);\n    return this.#rows.take(',
    replace: 'return this.#rows.take(',
    caughtBy: ['I7 twice', '5.1 stale'],
  },
];
