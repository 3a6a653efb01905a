import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nodeId } from '@holdfast/model';
import { watched } from '../../simulation/checkers/test-watch.test.ts';
import { GapRule } from './gap-rule.ts';
import { QuarantineTruth } from './quarantine-truth.ts';
import { history, partition } from './test-history.test.ts';
import { UserStates } from './user-states.ts';

const letterOf = (offset: number) => ({
  key: null,
  value: null,
  headers: { reason: 'quarantined', partition: '0', offset: `${offset}` },
});

test('6.3: a record that ends processes, and never is quarantined', () => {
  const { report, saw, sawNothing } = watched();
  const { ledger, user } = history();
  const checker = new QuarantineTruth(report, ledger);
  const folders = 3;
  for (let ended = 1; ended <= 2 * folders + 8; ended++) checker.onDeath(user.unitKey, '0/1', folders, null);
  checker.onDeath(user.unitKey, '0/2', folders, null);
  sawNothing();
  checker.onDeath(user.unitKey, '0/1', folders, null);
  saw('6.3');
});

test('6.3: an innocent user may be quarantined where a kill speaks against it, and by ends at deadly records alone may not', () => {
  for (const isKilledToo of [false, true]) {
    const { report, saw, sawNothing } = watched();
    const { ledger, user, users } = history();
    const checker = new QuarantineTruth(report, ledger);
    const other = users.find(({ unitKey }) => unitKey !== user.unitKey)!;
    const ends = [
      { node: nodeId('n1'), counter: 1 },
      { node: nodeId('n2'), counter: 4 },
    ];
    for (const end of isKilledToo ? ends.slice(1) : ends) checker.onDeath(other.unitKey, '1/7', 3, end);
    for (const { node, counter } of ends)
      checker.onRecord({ kind: 'unitCrashed', ...user.unit, ...partition, offset: 1, nodeId: node, counter });
    sawNothing();
    checker.onRecord({ kind: 'unitQuarantined', ...user.unit });
    if (isKilledToo) sawNothing();
    else saw('6.3');
    assert.equal(checker.innocents, isKilledToo ? 1 : 0);
  }
});

test('6.3: after a release what lies before it stays buried, and what comes after counts', () => {
  const { report, saw, sawNothing } = watched();
  const { ledger, user, users, stateOf } = history(['r', 'r', 'z', 'r']);
  const checker = new QuarantineTruth(report, ledger);
  const gaps = new GapRule(report, ledger);
  const bury = (offset: number) => checker.onAppended('dead', [letterOf(offset)]);
  checker.onSpoilt(user.unitKey);
  bury(1);
  saw('6.3');
  checker.onRecord({ kind: 'unitQuarantined', ...user.unit });
  for (const offset of [1, 2, 3]) bury(offset);
  checker.onRecord({ kind: 'quarantineLifted', ...user.unit, before: [{ ...partition, offset: 4 }] });
  bury(3);
  ledger.note(0, { key: null, value: null, amount: 7, kind: 'r', user: users[0]!, appendedUnixMs: 0 });
  gaps.onApply(user, stateOf(1), 0, 4);
  sawNothing();
  assert.deepEqual([checker.present.size, checker.released], [0, 1]);
  bury(4);
  saw('6.3');
  gaps.onApply(user, stateOf(1), 0, 3);
  saw('I7');
});

test('6.3: a release names where each partition ends', () => {
  const releaseAt = (...ends: readonly (readonly [partition: number, offset: number])[]): readonly string[] => {
    const reports: string[] = [];
    const { ledger, user } = history(['r', 'z', 'r']);
    const checker = new QuarantineTruth((text) => void reports.push(text), ledger);
    checker.onSpoilt(user.unitKey);
    checker.onRecord({ kind: 'unitQuarantined', ...user.unit });
    const before = ends.map(([number, offset]) => ({ ...partition, partition: number, offset }));
    checker.onRecord({ kind: 'quarantineLifted', ...user.unit, before });
    return reports.map((text) => text.slice(0, text.indexOf(':')));
  };
  for (const right of [
    [[0, 3]],
    [
      [0, 3],
      [1, 0],
    ],
  ] as const)
    assert.deepEqual(releaseAt(...right), []);
  for (const wrong of [
    [],
    [[0, 4]],
    [[0, 2]],
    [[1, 0]],
    [
      [0, 3],
      [1, 1],
    ],
  ] as const)
    assert.deepEqual(releaseAt(...wrong), ['6.3']);
});

test('I5: a letter is void if a store of another history brings back a state with its record, and else is not', () => {
  for (const continues of [false, true]) {
    const { ledger, user, stored, life, put } = history(['r', 'r', 'r']);
    const reports: string[] = [];
    const report = (text: string): void => void reports.push(text);
    let has = 2;
    const checker = new QuarantineTruth(report, ledger, (_, { index }) =>
      Array.from({ length: index === user.index ? has : 0 }, (_, offset) => ({ partition: 0, offset })),
    );
    const states = new UserStates(report, ledger, stored, checker);
    const compare = (): number => {
      put(has);
      checker.settle('life-2');
      states.compare(life);
      return reports.splice(0).filter((text) => text.startsWith('I5: user 0 has ')).length;
    };
    checker.onSpoilt(user.unitKey);
    checker.onRecord({ kind: 'unitQuarantined', ...user.unit });
    for (const offset of [1, 2]) checker.onAppended('dead', [letterOf(offset)]);
    checker.onRecord({ kind: 'generationChanged', storeGeneration: 'life-2', number: 2, continues });
    assert.equal(compare(), continues ? 1 : 0);
    assert.equal(checker.voidLetters, continues ? 0 : 1);
    // In a letter, and applied under that store.
    has = 3;
    assert.equal(compare(), 1);
  }
});
