import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HeldUnit } from './held-unit.ts';
import { MarkerBook } from './marker-book.ts';
import { OutputBuffer } from './output-buffer.ts';
import { Rounds } from './rounds.ts';

test('a row that was on its way when the round began has less than the round needs: another one is awaited', () => {
  const rounds = new Rounds(new MarkerBook(), new OutputBuffer());
  const unit = new HeldUnit(1, 2, 5, 0);
  unit.phase = 'open';
  // It was closing, for a session that ended; then it opened again and took another record.
  rounds.changed(unit, 0);
  rounds.hurry(unit);
  assert.deepEqual(rounds.takeUnits(10), [unit]);
  rounds.changed(unit, 0);
  rounds.begin([]);
  assert.deepEqual(rounds.takeUnits(10), [], 'one row at a time');
  const accept = (version: number) => {
    unit.flyingVersion = -1;
    rounds.saved(unit, version);
  };
  accept(1);
  assert.equal(rounds.complete(), false);
  assert.deepEqual(rounds.takeUnits(10), [unit]);
  accept(2);
  assert.equal(rounds.complete(), true);
});
