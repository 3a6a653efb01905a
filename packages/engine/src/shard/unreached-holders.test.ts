import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UnreachedHolders } from './unreached-holders.ts';

test('a wait lasts as long as something is seen waiting, over short gaps, and is forgotten after long ones', () => {
  const unreached = new UnreachedHolders();
  assert.equal(unreached.longestMs(0), 0);
  unreached.waited('2/0', 1_000);
  unreached.waited('3/0', 2_000);
  unreached.waited('2/0', 5_000);
  assert.equal(unreached.longestMs(5_000), 4_000);
  assert.equal(unreached.longestMs(9_000), 4_000, 'nothing was seen waiting since');
  unreached.waited('2/0', 10_000);
  assert.equal(unreached.longestMs(10_000), 9_000, 'its records were read again meanwhile');
  assert.deepEqual([...unreached.keys()], ['2/0'], 'the other is forgotten');
  unreached.forget('2/0');
  unreached.waited('2/0', 10_500);
  unreached.waited('2/0', 11_000);
  assert.equal(unreached.longestMs(11_000), 500);
  assert.equal(unreached.longestMs(16_001), 0);
  assert.deepEqual([...unreached.keys()], []);
});
