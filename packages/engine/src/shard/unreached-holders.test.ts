import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UnreachedHolders } from './unreached-holders.ts';

test('a wait lasts as long as something is seen waiting, over short gaps, and is forgotten after long ones', () => {
  const unreached = new UnreachedHolders();
  assert.equal(unreached.longest(0), null);
  unreached.waited('2/0', 1_000);
  unreached.waited('3/0', 2_000);
  unreached.waited('2/0', 5_000);
  assert.equal(unreached.longest(5_000)?.ms, 4_000);
  assert.equal(unreached.longest(9_000)?.ms, 4_000, 'nothing was seen waiting since');
  unreached.waited('2/0', 10_000);
  assert.equal(unreached.longest(10_000)?.ms, 9_000, 'its records were read again meanwhile');
  assert.deepEqual([...unreached.keys()], ['2/0'], 'the other is forgotten');
  unreached.forget('2/0');
  unreached.waited('2/0', 10_500);
  unreached.waited('2/0', 11_000);
  assert.equal(unreached.longest(11_000)?.ms, 500);
  assert.equal(unreached.longest(16_001), null);
  assert.deepEqual([...unreached.keys()], []);
});

test('once a stream that was taken has brought nothing back, only what comes back says that a holder is reached', () => {
  const unreached = new UnreachedHolders();
  unreached.waited('2/0', 1_000);
  assert.equal(unreached.accepted('2/0'), true);
  assert.equal(unreached.longest(1_000), null);
  unreached.endedFruitless('2/0');
  unreached.waited('2/0', 2_000);
  assert.equal(unreached.accepted('2/0'), false);
  unreached.waited('2/0', 5_000);
  assert.deepEqual(unreached.longest(5_000), { key: '2/0', ms: 3_000 });
  assert.deepEqual([...unreached.keys()], ['2/0']);
  unreached.forget('2/0');
  assert.deepEqual([unreached.longest(5_000), [...unreached.keys()]], [null, []]);
  assert.equal(unreached.accepted('2/0'), true);
});
