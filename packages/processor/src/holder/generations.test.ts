import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Scene } from './test-scene.test.ts';

test('what is dropped at a generation is not durable before the table shows the index of that entry', () => {
  const scene = new Scene();
  const { holder, stream } = scene;
  scene.send(10, [['a', 'x']]);
  scene.open();
  // The control thread is in the midst of the entry: what it does is seen in the shared table, its index isn't yet.
  scene.isOver = true;
  scene.generationIndex = 11;
  assert.deepEqual(scene.write(), []);
  assert.deepEqual([holder.unitCount, holder.roundDue], [0, true]);
  holder.beginRound();
  assert.equal(holder.finishRound(2), null);
  assert.equal(stream.returns.filter(({ kind }) => kind === 'durable').length, 0);
  scene.tableIndex = 11;
  assert.notEqual(holder.finishRound(2), null);
});
