import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeRow } from './row-codec.ts';
import { bytesOf, Scene, unitOf } from './test-scene.test.ts';

const a = { ...unitOf('a'), epoch: 5 };
const b = { ...unitOf('b'), epoch: 5 };
const strangeRow = encodeRow({ vector: [], users: [{ key: bytesOf('a'), job: 'join', state: bytesOf('strange') }] });

/** Of the last return that isn't about a frame that was applied. */
function lastRefusal({ stream }: Scene): number[] {
  const refused = stream.returns.filter((each) => each.kind === 'refused');
  return [...(refused.at(-1)?.units ?? [])];
}

const durable = ({ stream }: Scene) => stream.returns.filter(({ kind }) => kind === 'durable').length;

/** A user whose state can't be written any more, in a round with another. */
function spoiltScene(): Scene {
  const scene = new Scene();
  scene.send(10, [
    ['a', 'x'],
    ['a', 'spoilt'],
    ['b', 'y'],
  ]);
  scene.open();
  scene.holder.beginRound();
  return scene;
}

test('a state that can not be written: others are backed up, the round waits until the lease is taken away', () => {
  const scene = spoiltScene();
  const { holder, counters } = scene;
  assert.deepEqual(scene.write(), [b.hi]);
  assert.equal(holder.finishRound(1), null);
  assert.equal(durable(scene), 0);
  assert.equal(counters.unitsFaulty, 1);
  scene.takeAway('a');
  assert.notEqual(holder.finishRound(1), null);
  assert.equal(durable(scene), 1);
  assert.deepEqual(holder.ends.takeFaults(10_000), []);
});

test('the leader is asked again and again, and told once why', () => {
  const { holder } = spoiltScene();
  assert.deepEqual(holder.ends.takeFaults(1), []);
  holder.takeRows(10, 1);
  const [first] = holder.ends.takeFaults(1);
  assert.deepEqual(first, { ...a, problem: new RangeError('a spoilt state') });
  assert.deepEqual(holder.ends.takeFaults(2), []);
  assert.deepEqual(holder.ends.takeFaults(501), [{ ...a, problem: null }]);
});

test('a faulty unit takes no records', () => {
  const scene = spoiltScene();
  scene.write();
  scene.send(13, [
    ['a', 'z'],
    ['b', 'z'],
  ]);
  assert.deepEqual(lastRefusal(scene), [a.hi, a.lo]);
  assert.equal(scene.counters.recordsApplied, 4);
});

test('a state that can not be read: its row stays as it is, and nothing of the unit is durable', () => {
  const scene = new Scene();
  const { holder } = scene;
  scene.send(10, [
    ['a', 'x'],
    ['a', 'y'],
  ]);
  scene.open(strangeRow);
  scene.send(12, [['a', 'z']]);
  assert.deepEqual(lastRefusal(scene), [a.hi, a.lo]);
  holder.beginRound();
  assert.deepEqual(scene.write(), []);
  assert.equal(holder.finishRound(1), null);
  assert.deepEqual(
    holder.ends.takeFaults(1).map(({ hi }) => hi),
    [a.hi],
  );
  assert.equal(scene.counters.recordsApplied, 0);
});

test('whoever only asks for a state that can not be read gets none, and the unit stays open', () => {
  const scene = new Scene();
  const { holder } = scene;
  holder.quarantine.set([{ ...unitOf('a'), before: null }], 0);
  scene.send(10, [['a', 'x']]);
  scene.open(strangeRow);
  assert.equal(holder.questions.user(a.hi, a.lo, bytesOf('a'))?.user, null);
  assert.deepEqual(holder.ends.takeFaults(1), []);
  assert.deepEqual(scene.letters(), ['a:x@10'], 'in quarantine nobody reads it');
  holder.onOutputsAcked(1, 1);
  holder.beginRound();
  assert.deepEqual(scene.write(), [a.hi], 'and its bytes are written as they are');
});

test('a holder that stops waits for the end of a faulty unit', () => {
  const scene = spoiltScene();
  const { holder } = scene;
  holder.ends.closeAll();
  scene.write();
  assert.equal(holder.ends.allClosed, false);
  scene.takeAway('a');
  assert.equal(holder.ends.allClosed, true);
});

test('a job without a state for a new user: its record is a dead letter', () => {
  const scene = new Scene();
  scene.send(10, [['nobody', 'x']]);
  scene.open();
  assert.deepEqual(scene.letters('no-initial-state'), ['nobody:x@10']);
  assert.equal(scene.counters.recordsDead, 1);
});
