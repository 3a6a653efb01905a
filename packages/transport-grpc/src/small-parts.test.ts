import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InvariantError } from '@holdfast/model';
import { sampleFrame } from '@holdfast/testkit';
import { statusText } from './errors.ts';
import { decodeFrameMessage, encodeFrame } from './frame-codec.ts';
import { MessageQueue } from './message-queue.ts';
import { SendBudget } from './send-budget.ts';

test('SendBudget: full at the mark, drained at half of it, once', () => {
  const budget = new SendBudget(100, 150);
  assert.equal(budget.take(99), true);
  assert.equal(budget.take(1), false);
  assert.equal(budget.take(1), false);
  assert.equal(budget.release(50), false);
  assert.equal(budget.take(0), false, 'stays full until drained');
  assert.equal(budget.release(1), true);
  assert.equal(budget.release(50), false);
  assert.equal(budget.exceeded, false);
  budget.take(151);
  assert.equal(budget.exceeded, true);
});

test('MessageQueue: drops the oldest, never the newest; takes by bytes, at least one', () => {
  const queue = new MessageQueue(3, 100);
  for (const length of [10, 20, 30, 40]) queue.push(new Uint8Array(length));
  assert.deepEqual([queue.count, queue.bytes, queue.droppedCount], [3, 90, 1]);
  queue.push(new Uint8Array(500));
  assert.deepEqual([queue.count, queue.bytes, queue.droppedCount], [1, 500, 4]);
  queue.push(new Uint8Array(1));
  assert.deepEqual([queue.count, queue.bytes], [1, 1]);
  queue.push(new Uint8Array(60));
  assert.deepEqual(
    queue.take(50).map((message) => message.length),
    [1],
  );
  assert.deepEqual(
    queue.take(50).map((message) => message.length),
    [60],
  );
  assert.deepEqual(queue.take(50), []);
  assert.equal(queue.bytes, 0);
});

test('statusText: one line, well-formed, bounded', () => {
  assert.equal(statusText('a\r\nb\ud800c ✓'), 'a  b c ✓');
  const long = statusText('✓'.repeat(10_000));
  assert.ok(long.length < 600);
  encodeURI(long);
});

test('a frame with numbers that can not be sent is a broken invariant', () => {
  for (const wrong of [
    { number: 2 ** 53 },
    { number: -1 },
    { baseOffset: 0.5 },
    { count: 2 ** 32 },
    { reading: Number.NaN },
  ]) {
    assert.throws(() => encodeFrame({ ...sampleFrame(1), ...wrong }), InvariantError);
  }
});

test('the block of a decoded frame is a view, not a copy', () => {
  const bytes = encodeFrame(sampleFrame(1));
  const message = decodeFrameMessage(bytes);
  assert.ok(message.kind === 'frame' && message.frame.block.buffer === bytes.buffer);
});
