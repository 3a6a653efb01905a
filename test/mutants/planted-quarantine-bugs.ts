import type { PlantedBug } from './planted-bugs.ts';

const profile = 'cluster';
const storeLoop = 'engine/src/shard/store-loop.ts';
const shard = 'engine/src/shard/shard.ts';
const rowWriter = 'processor/src/holder/row-writer.ts';
const applier = 'processor/src/holder/applier.ts';

/** Bugs of quarantine, faulty and sealed units (PROTOCOL.md 5.6, 6.3), for the simulation of the whole cluster. */
export const plantedQuarantineBugs: readonly PlantedBug[] = [
  {
    name: 'cluster: records of a quarantined unit are dropped',
    rule: '6.3',
    file: applier,
    find: 'this.#bury(unit, topic, partition.partition, offset, quarantinedReason, key, value);',
    replace: 'void key;\n      void value;',
    profile,
    caughtBy: ['I5', 'I6'],
  },
  {
    name: 'cluster: one end of a process is enough for quarantine',
    rule: '6.3',
    file: 'lease/src/quarantine-rule.ts',
    find: 'if (named.length < wanted) return false;\n  if (named.length >= persistentFactor * wanted) return true;',
    replace: 'if (wanted > 0) return true;',
    profile,
    caughtBy: ['6.3'],
  },
  {
    name: 'cluster: no record that ends processes is ever quarantined',
    rule: '6.3',
    file: 'lease/src/quarantine-decisions.ts',
    find: 'const due = unitsDue(crashes,',
    replace: 'const due = unitsDue(crashes.slice(crashes.length),',
    profile,
    caughtBy: ['6.3'],
  },
  {
    name: 'cluster: a node has a session before what ended it is judged',
    rule: '6.3',
    file: 'engine/src/control/leader-desk.ts',
    find: 'await term.noteCrashes(from, crashes);',
    replace: 'void term.noteCrashes(from, crashes).catch(() => {});',
    profile,
    caughtBy: ['6.3'],
  },
  {
    name: 'cluster: a release from quarantine never reaches the holders',
    rule: '6.3',
    file: 'processor/src/quarantine.ts',
    find: 'return before === null || offset < before.offsetOf(partition);',
    replace: 'return true;',
    profile,
    caughtBy: ['6.3'],
  },
  {
    name: 'cluster: a release from quarantine names ends that no partition has reached',
    rule: '6.3',
    file: 'engine/src/control/leader-term.ts',
    find: 'ends.push({ topicId, partition, offset });',
    replace: 'ends.push({ topicId, partition, offset: offset + 1_000_000 });',
    profile,
    caughtBy: ['6.3'],
  },
  {
    name: 'cluster: quarantined records are applied by who takes them over',
    rule: '6.3',
    file: shard,
    find: 'holder.quarantine.set(this.#quarantine.units, this.#quarantine.index);',
    replace: 'holder.quarantine.set([], this.#quarantine.index);',
    profile,
    caughtBy: ['I5', 'I6', 'I7', 'I8'],
  },
  {
    name: 'cluster: a state that can not be written holds no round back',
    rule: '5.6',
    file: rowWriter,
    find: 'faulty.add(unit, error);',
    replace: 'faulty.add(unit, error);\n      this.#parts.rounds.dropped(unit);',
    profile,
    caughtBy: ['I6'],
  },
  {
    name: 'cluster: a faulty unit goes to its next holder without quarantine',
    rule: '5.6',
    file: 'lease/src/quarantine-decisions.ts',
    find: "records.push({ kind: 'unitQuarantined', hi, lo });",
    replace: '',
    profile,
    caughtBy: ['I8'],
  },
  {
    name: 'cluster: a faulty unit is quarantined, and stays where it is',
    rule: '5.6',
    file: 'lease/src/quarantine-decisions.ts',
    find: "records.push({ kind: 'forceReleased', hi, lo, epoch: epoch as LeaseEpoch });",
    replace: 'void epoch;',
    profile,
    caughtBy: ['I8'],
  },
  {
    name: 'cluster: a stored row that can not be read passes for none',
    rule: '5.6',
    file: 'processor/src/holder/sealed-units.ts',
    find: 'const problem = row === null ? null : loadOrWhyNot(unit, row, job, partitions);',
    replace: 'const problem = row === null ? null : loadOrWhyNot(unit, row, job, partitions) && null;',
    profile,
    caughtBy: ['I1', 'I5', 'I6', 'I7', 'I8'],
  },
  {
    name: 'cluster: a row counts that came upon one which can not be read',
    rule: '5.6',
    file: storeLoop,
    find: "else if (result.code === 'CORRUPT') holder.onRowCorrupt(row, result.problem);",
    replace: "else if (result.code === 'CORRUPT') holder.onRowAccepted(row, nowMs);",
    profile,
    caughtBy: ['I6'],
  },
];
