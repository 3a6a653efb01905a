import assert from 'node:assert/strict';
import { test } from 'node:test';
import { shownState } from './shown-state.ts';

const key = Buffer.from('alice');
const view = (state: unknown) => ({ state });

test('a state is shown as the job shows it; one that it can not read or show says why', () => {
  const decodeState = (bytes: Uint8Array): unknown => {
    if (bytes[0] !== 1) throw new Error(`version ${bytes[0]} is not known`);
    return bytes.length;
  };
  assert.deepEqual(shownState({ decodeState, view }, Uint8Array.of(1, 0), key), { view: { state: 2 }, error: null });
  assert.deepEqual(shownState({ decodeState, view }, Uint8Array.of(9), key), {
    view: null,
    error: 'version 9 is not known',
  });
  const throwing = () => {
    throw 'no words';
  };
  assert.equal(shownState({ decodeState, view: throwing }, Uint8Array.of(1), key).error, 'no words');
});
