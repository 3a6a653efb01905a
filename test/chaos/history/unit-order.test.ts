import assert from 'node:assert/strict';
import { test } from 'node:test';
import { orderUnitCalls, type StoredUnit, type UnitCall } from './unit-order.ts';

const unheard = Number.POSITIVE_INFINITY;

function claim(
  startUs: number,
  endUs: number,
  epoch: number,
  answer: 'FENCED' | null | { row: string | null },
): UnitCall {
  const said = answer === null ? null : answer === 'FENCED' ? { code: 'FENCED' } : { code: 'OK', row: answer.row };
  return { startUs, endUs, epoch, write: null, answer: said, of: null };
}

function backup(startUs: number, endUs: number, epoch: number, seq: number, code: string | null): UnitCall {
  const answer = code === null ? null : { code };
  return { startUs, endUs, epoch, write: { seq, row: `${epoch}.${seq}` }, answer, of: null };
}

const stored = (epoch: number, seq: number, row: string | null): StoredUnit => ({ epoch, seq, row });
const codeOf = (calls: readonly UnitCall[], last: StoredUnit | null) => orderUnitCalls(calls, last).code;

test('a holder, its successor, and the late row of the first', () => {
  const calls = [
    claim(1, 2, 5, { row: null }),
    backup(3, 4, 5, 1, 'OK'),
    claim(10, 11, 7, { row: '5.1' }),
    backup(12, 13, 5, 2, 'FENCED'),
    backup(14, 15, 7, 1, 'OK'),
  ];
  assert.equal(codeOf(calls, stored(7, 1, '7.1')), 'OK');
  const accepted = calls.map((call) => (call.startUs === 12 ? backup(12, 13, 5, 2, 'OK') : call));
  assert.equal(codeOf(accepted, stored(7, 1, '7.1')), 'NONE', 'an older epoch was accepted after a newer one');
});

test('what overlaps may have come in either order, what does not may not', () => {
  const before = [claim(1, 2, 5, { row: null }), backup(3, 20, 5, 1, 'OK'), claim(4, 21, 7, { row: '5.1' })];
  assert.equal(codeOf(before, stored(7, 0, '5.1')), 'OK');
  const after = [claim(1, 2, 5, { row: null }), backup(3, 20, 5, 1, 'FENCED'), claim(4, 21, 7, { row: null })];
  assert.equal(codeOf(after, stored(7, 0, null)), 'OK');
  const late = [claim(1, 2, 5, { row: null }), backup(3, 4, 5, 1, 'OK'), claim(5, 6, 7, { row: null })];
  assert.equal(codeOf(late, stored(7, 0, null)), 'NONE', 'an accepted row was lost');
});

test('a call without an answer was done or not, as the rest shows', () => {
  const base = [claim(1, 2, 5, { row: null }), backup(3, unheard, 5, 1, null)];
  assert.equal(codeOf([...base, claim(10, 11, 7, { row: '5.1' })], stored(7, 0, '5.1')), 'OK');
  assert.equal(codeOf([...base, claim(10, 11, 7, { row: null })], stored(7, 0, null)), 'OK');
  assert.equal(codeOf(base, stored(5, 1, '5.1')), 'OK');
  assert.equal(
    codeOf([...base, claim(10, 11, 7, { row: '5.2' })], stored(7, 0, '5.2')),
    'NONE',
    'nobody wrote that row',
  );
  const killed = [...base, claim(10, 11, 7, { row: null }), backup(12, 13, 7, 1, 'OK')];
  assert.equal(codeOf(killed, stored(5, 1, '5.1')), 'NONE', 'the row of the dead came back over a newer one');
});

test('repeats: equal is ok and writes nothing, a lower seq is stale, a lost row at the end is seen', () => {
  const calls = [
    claim(1, 2, 5, { row: null }),
    claim(2, 3, 5, { row: null }),
    backup(4, 5, 5, 2, 'OK'),
    backup(6, 7, 5, 2, 'OK'),
    backup(8, 9, 5, 1, 'STALE'),
  ];
  assert.equal(codeOf(calls, stored(5, 2, '5.2')), 'OK');
  assert.equal(codeOf(calls, stored(5, 1, '5.1')), 'NONE');
  assert.equal(codeOf(calls, null), 'NONE');
  assert.equal(
    codeOf([...calls, claim(20, 21, 4, { row: '5.2' })], stored(5, 2, '5.2')),
    'NONE',
    'an old claim was accepted',
  );
});
