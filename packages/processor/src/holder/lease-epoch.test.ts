import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytesOf, Scene, unitOf } from './test-scene.test.ts';

test('a job that shows it knows the epoch of the lease under which each record is applied', () => {
  const scene = new Scene();
  const { hi, lo } = unitOf('a');
  const found = () => scene.holder.questions.user(hi, lo, bytesOf('a'))?.user?.state;
  scene.send(10, [['a', 'epoch']]);
  scene.open();
  scene.send(11, [['a', 'epoch']]);
  assert.deepEqual(found(), { seen: '55' });
  scene.takeAway('a');
  scene.grantAgain(7);
  scene.send(20, [['a', 'epoch']]);
  scene.open();
  assert.deepEqual(found(), { seen: '7' });
});
