import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LeaseRecord } from '@holdfast/lease';
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
  const end = { node: 'n1', counter: 1 };
  for (let ended = 1; ended <= 2 * folders + 8; ended++) checker.onDeath(user.unitKey, '0/1', folders, end);
  checker.onDeath(user.unitKey, '0/2', folders, end);
  sawNothing();
  checker.onDeath(user.unitKey, '0/1', folders, end);
  saw('6.3');
});

/** An end of a process: the deadly record behind it, and what else the log has of it beside the innocent user's record. */
interface End {
  readonly node: string;
  readonly counter: number;
  readonly by?: string;
  readonly hasInnocent?: boolean;
  readonly named?: readonly string[];
  readonly frames?: readonly string[];
}

/** @returns what the checker says when the innocent user is quarantined, whose record is 0/1 */
function innocentAfter(ends: readonly End[]): 'accepted' | 'reported' {
  const reports: string[] = [];
  const { ledger, user, users } = history();
  const checker = new QuarantineTruth((text) => void reports.push(text), ledger);
  const other = users.find(({ unitKey }) => unitKey !== user.unitKey)!;
  for (const { node, counter, by, hasInnocent = true, named = [], frames = [] } of ends) {
    const end = { nodeId: nodeId(node), counter };
    if (by === undefined) checker.onOtherEnd({ node, counter });
    else checker.onDeath(other.unitKey, by, 3, { node, counter });
    const at = (position: string) => position.split('/').map(Number) as [number, number];
    const records: LeaseRecord[] = [...named, ...(hasInnocent ? ['0/1'] : [])].map((position) => {
      const [number, offset] = at(position);
      const { unit } = position === '0/1' ? user : other;
      return { kind: 'unitCrashed', ...unit, ...partition, partition: number, offset, ...end };
    });
    for (const position of frames) {
      const [number, offset] = at(position);
      const range = { first: offset - 2, last: offset + 2 };
      records.push({ kind: 'frameCrashed', ...partition, partition: number, ...range, ...end });
    }
    for (const record of records) checker.onRecord(record);
    checker.afterEntry(records);
  }
  checker.onRecord({ kind: 'unitQuarantined', ...user.unit });
  assert.equal(reports.length + checker.innocents, 1, reports.join('; '));
  return checker.innocents === 1 ? 'accepted' : 'reported';
}

test('6.3: an innocent user may be quarantined where its record stands out against each deadly one beside it', () => {
  const killed = { node: 'n1', counter: 1 };
  const beside = { node: 'n2', counter: 4, by: '1/7', named: ['1/7'] };
  const elsewhere = (counter: number): End => ({ ...beside, counter, hasInnocent: false });
  assert.equal(innocentAfter([killed, beside]), 'accepted');
  assert.equal(innocentAfter([{ ...killed, by: '1/9', named: ['1/9'] }, beside]), 'accepted', 'one end of each of two');
  assert.equal(innocentAfter([{ ...killed, by: '1/7', named: ['1/7'] }, beside]), 'reported', 'both ends are of one');
  assert.equal(innocentAfter([{ ...killed, by: '1/7' }, beside]), 'reported', 'of one, and the log lacks it');
  assert.equal(innocentAfter([elsewhere(3), killed, beside]), 'reported', 'one each without the other');
  assert.equal(
    innocentAfter([{ ...elsewhere(3), named: [], frames: ['1/7'] }, killed, beside]),
    'reported',
    'in a frame',
  );
  assert.equal(innocentAfter([elsewhere(3), killed, { ...killed, node: 'n3' }, beside]), 'accepted', 'two against one');
  assert.equal(
    innocentAfter([killed, beside, elsewhere(5)]),
    'accepted',
    'the verdict may be from before the last end',
  );
  const besideSix = [1, 2, 3, 4, 5, 6].map((counter): End => ({ ...beside, counter }));
  assert.equal(innocentAfter(besideSix.slice(1)), 'reported');
  assert.equal(innocentAfter(besideSix), 'accepted', 'six ends are enough in any case');
});

test('6.3: names of ends of an earlier data folder say nothing of the cause', () => {
  const beside = { node: 'n2', counter: 4, by: '1/7', named: ['1/7'] };
  const lost = { node: 'n1', counter: 1, hasInnocent: false };
  assert.equal(innocentAfter([{ ...lost, by: '1/7', hasInnocent: true }, beside]), 'reported');
  assert.equal(innocentAfter([lost, { ...lost, by: '1/7', hasInnocent: true }, beside]), 'accepted');
  assert.equal(innocentAfter([{ ...lost, by: '1/7' }, { ...lost, hasInnocent: true }, beside]), 'accepted');
});

test('6.3: nobody is quarantined before the log has enough of its ends', () => {
  assert.equal(innocentAfter([{ node: 'n1', counter: 1 }]), 'reported');
  assert.equal(innocentAfter([1, 2, 3, 4, 5].map((counter) => ({ node: 'n1', counter }))), 'reported');
  assert.equal(innocentAfter([1, 2, 3, 4, 5, 6].map((counter) => ({ node: 'n1', counter }))), 'accepted');
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
