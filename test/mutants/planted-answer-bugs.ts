import type { PlantedBug } from './planted-bugs.ts';

const holder = 'processor/src/holder/holder.ts';
const rounds = 'processor/src/holder/rounds.ts';
const generation = 'processor/src/holder/generation.ts';

/** Bugs of what the store's answers are taken for, for the simulation of the records. In the order of the rules. */
export const plantedAnswerBugs: readonly PlantedBug[] = [
  {
    name: 'a row is written while the one before is under way',
    rule: '5.1',
    file: rounds,
    find: 'if (unit.flyingVersion >= 0 || unit.lastOutput > this.#outputs.acked) {',
    replace: 'if (unit.lastOutput > this.#outputs.acked) {',
    caughtBy: ['5.1 stale'],
  },
  {
    name: 'a claim’s answer of an earlier generation counts',
    rule: '5.2',
    file: holder,
    find: 'if (ofIndex !== this.generationIndex) return;\n    const unit',
    replace: 'const unit',
    caughtBy: ['I6 lease end', 'I6 commit', 'I7 gap'],
  },
  {
    name: 'a marker’s answer of an earlier generation counts',
    rule: '5.2',
    file: holder,
    find: 'if (ofIndex !== this.generationIndex) return;\n    this.#markers.confirm',
    replace: 'this.#markers.confirm',
    seenAt: ['focus', 4388],
    caughtBy: ['I6 commit', 'I6 lease end', 'I7 gap', 'I7 twice'],
  },
  {
    name: 'a row that was under way to an earlier generation is waited for',
    rule: '5.8',
    file: generation,
    find: 'unit.flyingVersion = -1;',
    replace: '',
    caughtBy: ['I8 stall'],
  },
  {
    name: 'any row of a unit is enough for its round',
    rule: '5.4',
    file: rounds,
    find: 'unit.needVersion !== 0 && unit.savedVersion >= unit.needVersion',
    replace: 'unit.needVersion !== 0',
    profile: 'voided',
    seenAt: ['voided', 216],
    caughtBy: ['I6 commit', 'I6 lease end', 'I7 gap'],
  },
];
