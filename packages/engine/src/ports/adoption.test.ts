import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Adoption, adopted } from './adoption.ts';

/** A store as a leader after the other finds it: its id, the log's generation then, and what is expected. */
function history(...steps: readonly (readonly [id: string, current: string, continues: boolean])[]): void {
  let noted: Adoption | null = null;
  for (const [id, current, expected] of steps) {
    const { continues, adoption } = adopted(noted, id, current, true);
    assert.equal(continues, expected, `${id} after ${current}`);
    noted = adoption;
  }
}

test('one failover after the other, each noted or not in time', () => {
  history(['a', '', true], ['b', 'a', true], ['c', 'b', true]);
  // Two before the log has the first.
  history(['a', '', true], ['b', 'a', true], ['c', 'a', true], ['d', 'c', true]);
  // Adopted as b; what was noted of that is lost with the next failover.
  history(['a', '', true], ['c', 'b', false]);
});

test('a store that others wrote to meanwhile is of another history, and so is what follows it', () => {
  // The log went to x, which is a replica of a as well, while b took a's place here.
  history(['a', '', true], ['b', 'a', true], ['c', 'x', false], ['c', 'x', false], ['d', 'c', true]);
  // It went to x and to the never adopted b, which had been noted as another's: what was written by that name is in it.
  history(['a', '', true], ['b', 'x', false], ['c', 'a', false]);
});

test('a store of before there were notes continues nothing, until it has noted what it is', () => {
  assert.equal(adopted(null, 'b', 'a', false).continues, false);
  const { adoption } = adopted(null, 'a', 'a', false);
  assert.equal(adopted(adoption, 'b', 'a', false).continues, true);
});

test('a leader that still sees the store of before takes no note away', () => {
  const { adoption } = adopted({ id: 'a', from: '' }, 'c', 'a', false);
  assert.deepEqual(adopted(adoption, 'a', 'a', false).adoption, adoption);
});
