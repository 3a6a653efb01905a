import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noCrashNotes } from '../crash-notes.ts';
import { defaultRecordLimits } from '../limits.ts';
import { Scene, self } from './test-scene.test.ts';

const limits = { ...defaultRecordLimits, framesInFlightMax: 2, framesOverMax: 3 };
/** Sends until it is told to end, a hundred times at most; how many frames were taken. */
function sendOn(scene: Scene, tableIndex: number): number {
  for (let taken = 0; taken < 100; taken++) {
    const problem = scene.send(taken, [['a', 'x']], tableIndex);
    if (problem === null) continue;
    assert.equal(problem, `frame ${taken + 1} is far beyond what may be in flight`);
    return taken;
  }
  return 100;
}

test("a sender that doesn't keep to its credit is told to end, whatever its frames wait for", () => {
  assert.equal(sendOn(new Scene(noCrashNotes, limits), 2 ** 53 - 1), 5, 'an index far ahead');
  assert.equal(sendOn(new Scene(noCrashNotes, limits), 10), 5, 'a claim');
  const scene = new Scene(noCrashNotes, limits);
  scene.send(0, [['a', 'x']]);
  scene.open();
  assert.deepEqual([scene.stream.settled, scene.stream.unsettledBytes], [1, 0]);
});

test('so is one of few large frames', () => {
  const scene = new Scene(noCrashNotes, { ...defaultRecordLimits, bytesInFlightMax: 20_000, bytesOverMax: 30_000 });
  const large = (offset: number) => scene.send(offset, [['a', 'x'.repeat(20_000)]]);
  assert.deepEqual([large(0), large(1), large(2)], [null, null, null]);
  assert.match(large(3)!, /^frame 4 is far beyond/);
  scene.open();
  assert.deepEqual([scene.stream.settled, scene.stream.unsettledBytes], [3, 0]);
});

test("a shard's own ingest is never told to: it keeps its frames anyway", () => {
  const scene = new Scene(noCrashNotes, limits);
  const own = scene.holder.openStream({ from: self, to: self, incarnation: 1 })!;
  own.received = 1_000;
  assert.equal(own.isOverdrawn(limits), false);
});
