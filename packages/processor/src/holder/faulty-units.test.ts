import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noCrashNotes } from '../crash-notes.ts';
import { faultyUnitsMax } from './faulty-units.ts';
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
  holder.takeRows(10, 1);
  assert.deepEqual(holder.ends.takeFaults(1), [], 'a moment later: it may not be alone');
  assert.deepEqual(holder.ends.takeFaults(501), [{ ...a, problem: new RangeError('a spoilt state') }]);
  assert.deepEqual(holder.ends.takeFaults(502), []);
  assert.deepEqual(holder.ends.takeFaults(1_001), [{ ...a, problem: null }]);
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
  holder.ends.takeFaults(1);
  assert.deepEqual(
    holder.ends.takeFaults(501).map(({ hi }) => hi),
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

test('nothing is reported before the table shows the index of the forced end', () => {
  const scene = spoiltScene();
  const { holder } = scene;
  scene.write();
  scene.takeAway('a', 11);
  assert.equal(holder.finishRound(1), null);
  scene.tableIndex = 11;
  assert.notEqual(holder.finishRound(1), null);
  const reports = scene.stream.returns.filter((each) => each.kind === 'durable');
  assert.deepEqual(reports, [{ kind: 'durable', frame: 1, tableIndex: 11 }]);
});

test('a generation entry makes no row of a state that can not be read', () => {
  const scene = new Scene();
  const { holder } = scene;
  scene.send(10, [['a', 'x']]);
  scene.open(strangeRow);
  scene.generationIndex = 10;
  holder.onTableAdvanced(1);
  holder.beginRound();
  assert.deepEqual(scene.write(), []);
  assert.equal(holder.finishRound(1), null);
  assert.equal(holder.rowsQueued, 0);
});

test('a state that can not be copied for its next record: that one is not applied', () => {
  const scene = new Scene();
  scene.send(10, [
    ['a', 'stiff'],
    ['a', 'x'],
    ['a', 'y'],
  ]);
  scene.open();
  assert.deepEqual([scene.counters.recordsApplied, scene.counters.unitsFaulty], [1, 1]);
  assert.deepEqual(lastRefusal(scene), [a.hi, a.lo], 'the third one');
});

test('records that waited for a row that can not be made go back, and others are settled', () => {
  const scene = new Scene();
  const { holder, stream } = scene;
  scene.send(10, [['a', 'spoilt+']]);
  scene.open();
  holder.beginRound();
  assert.deepEqual(scene.write(), [], 'its output is not in the log yet');
  scene.send(11, [['a', 'x']]);
  scene.send(12, [['b', 'x']]);
  scene.open();
  assert.equal(stream.settled, 1);
  holder.onOutputsAcked(1, 1);
  assert.deepEqual(scene.write(), []);
  assert.deepEqual(lastRefusal(scene), [a.hi, a.lo]);
  assert.equal(stream.settled, 3);
});

test('a unit that closes or moves, and can not be written, is taken away like any other', () => {
  const scene = new Scene();
  const { holder } = scene;
  scene.send(10, [['a', 'spoilt']]);
  scene.open();
  assert.ok(holder.ends.moveUnit(a.hi, a.lo, { session: 8 as never, shard: 0 as never }, 1));
  assert.deepEqual(scene.write(), []);
  assert.equal(holder.rowsHurried, false);
  assert.deepEqual(holder.ends.takeEnds(1_000), []);
  holder.ends.takeFaults(1);
  assert.equal(holder.ends.takeFaults(501).length, 1);
  scene.takeAway('a');
  assert.deepEqual([holder.unitCount, holder.ends.handOverLeft], [0, 0]);
});

test('a lease that ends clean after all, by what was asked for before: the unit is let go of, and may come again', () => {
  const scene = new Scene();
  const { holder } = scene;
  scene.send(10, [['a', 'x']]);
  scene.open();
  holder.ends.closeIdle(5_000, 10);
  scene.write();
  assert.equal(holder.ends.takeEnds(5_000).length, 1);
  // A store in which it is bent, before the release is in the log.
  scene.generationIndex = scene.tableIndex = 11;
  holder.onTableAdvanced(5_001);
  for (const row of holder.takeRows(10, 5_002)) holder.onRowCorrupt(row, 'the stored row is bent');
  assert.equal(scene.counters.unitsFaulty, 1);
  scene.tableIndex = 13;
  scene.grantAgain(13);
  holder.onTableAdvanced(5_003);
  assert.equal(holder.unitCount, 0);
  scene.send(11, [['a', 'y']], 13);
  assert.deepEqual(holder.takeClaims(10), [{ ...unitOf('a'), epoch: 13 }]);
  holder.beginRound();
  assert.notEqual(holder.finishRound(6_000), null, 'rounds end again');
});

test('where the states of many can not be written it is the job, and nobody is quarantined', () => {
  const scene = new Scene();
  const names = Array.from({ length: faultyUnitsMax + 1 }, (_, n) => `u${n}`);
  scene.send(
    10,
    names.map((user) => [user, 'spoilt']),
  );
  scene.open();
  scene.holder.beginRound();
  assert.throws(() => scene.write(), /the states of 17 users/);
  assert.deepEqual(scene.holder.ends.takeFaults(1), []);
});

for (const [what, row, value] of [
  ['read', strangeRow, 'x'],
  ['copied', null, 'stiff'],
] as const) {
  test(`nor where those of many can not be ${what}: no record is noted as what ended the process`, () => {
    let noted = 0;
    const notes = { ...noCrashNotes, frame: () => noted++, record: () => noted++, clear: () => void (noted = 0) };
    const scene = new Scene(notes);
    const names = Array.from({ length: faultyUnitsMax + 1 }, (_, n) => String.fromCharCode(97 + n));
    const records = names.flatMap((user) => [[user, value] as const, [user, 'x'] as const]);
    scene.send(10, records);
    const rowOf = (user: string) =>
      row && encodeRow({ vector: [], users: [{ key: bytesOf(user), job: 'join', state: bytesOf('strange') }] });
    assert.throws(() => {
      for (const [n, claim] of scene.holder.takeClaims(100).entries())
        scene.holder.onClaimed(claim, rowOf(names[n]!), [], 0, 1);
    }, /the states of 17 users/);
    assert.equal(noted, 0);
  });
}
