import assert from 'node:assert/strict';
import { test } from 'node:test';
import { delay } from '@holdfast/engine';
import { SeededRng } from '@holdfast/model';
import { Trace } from './trace.ts';
import { VirtualProcess } from './virtual-process.ts';
import { VirtualTime } from './virtual-time.ts';

const world = () => {
  const time = new VirtualTime(new SeededRng(1), new Trace(false));
  const process = (rate = 1): VirtualProcess => new VirtualProcess('p', time, rate, 500);
  return { time, process, run: (untilMs: number) => time.run(untilMs, () => false) };
};

test('events come in the order of time, and promises go on between them', async () => {
  const { time, process, run } = world();
  const p = process();
  const seen: string[] = [];
  p.setTimer(20, () => seen.push('b'));
  delay(p, 10)
    .then(() => seen.push('a1'))
    .then(() => seen.push('a2'));
  p.setTimer(30, () => seen.push('c'))();
  await run(100);
  assert.deepEqual(seen, ['a1', 'a2', 'b']);
  assert.equal(time.nowMs, 100);
});

test('clocks run at their own speed, and go on in a pause, whose events all come at its end', async () => {
  const { time, process, run } = world();
  const slow = process(0.5);
  const firedAtMs: number[] = [];
  slow.setTimer(10, () => firedAtMs.push(time.nowMs));
  slow.setTimer(50, () => firedAtMs.push(time.nowMs));
  await run(10);
  slow.pause(200);
  assert.equal(slow.isPaused, true);
  await run(300);
  assert.deepEqual(firedAtMs, [210, 210]);
  assert.equal(slow.monotonicMs(), 500 + 150);
  assert.equal(slow.isPrompt(50), true);
  assert.equal(slow.isPrompt(100), false);
});

test('what a clock has shown is told in the time of the world, over a change of its speed', async () => {
  const { process, run } = world();
  const slow = process(0.5);
  const start = slow.monotonicMs();
  await run(100);
  slow.setRate(2);
  await run(200);
  assert.equal(slow.monotonicMs(), start + 50 + 200);
  assert.deepEqual(
    [0, 25, 50, 150, 250].map((ms) => slow.worldMsOf(start + ms)),
    [0, 50, 100, 150, 200],
  );
});

test('nothing happens to the dead', async () => {
  const { process, run } = world();
  const p = process();
  p.setTimer(10, () => assert.fail('it is dead'));
  p.isAlive = false;
  await run(50);
});
