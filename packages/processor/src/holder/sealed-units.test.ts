import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bucketOf } from '@holdfast/model';
import { faultyUnitsMax } from './faulty-units.ts';
import { encodeRow } from './row-codec.ts';
import { bytesOf, partition, Scene, unitOf } from './test-scene.test.ts';
import { UnreadableRowError } from './unreadable-row-error.ts';

const a = { ...unitOf('a'), epoch: 5 };
const b = { ...unitOf('b'), epoch: 5 };
const bent = new UnreadableRowError('the stored row is bent');
const goodRow = encodeRow({ vector: [], users: [{ key: bytesOf('a'), job: 'join', state: bytesOf('old') }] });
/** Of a format that is yet to come. */
const strangeRow = Uint8Array.of(9, ...goodRow.subarray(1));

const durable = ({ stream }: Scene) => stream.returns.filter(({ kind }) => kind === 'durable').length;

/** Of the last return that isn't about a frame that was applied. */
function lastRefusal({ stream }: Scene): number[] {
  const refused = stream.returns.filter((each) => each.kind === 'refused');
  return [...(refused.at(-1)?.units ?? [])];
}

/** Two records of a user whose row can't be read, one of another, both in quarantine or none. */
function bentScene(row: Uint8Array | UnreadableRowError, isQuarantined: boolean): Scene {
  const scene = new Scene();
  if (isQuarantined) quarantine(scene);
  scene.send(10, [
    ['a', 'x'],
    ['a', 'y'],
    ['b', 'z'],
  ]);
  for (const claim of scene.holder.takeClaims(10))
    scene.holder.onClaimed(claim, claim.hi === a.hi ? row : null, [], 0, 1);
  return scene;
}

function quarantine(scene: Scene, before: { readonly offset: number } | null = null, index = 3): void {
  const ends = before === null ? null : { offsetOf: () => before.offset };
  scene.holder.quarantine.set([{ ...unitOf('a'), before: ends }], index);
}

for (const [what, row] of [
  ['a claim that finds what can not be read', bent],
  ['a row of a newer format', strangeRow],
] as const) {
  test(`${what}: the unit is faulty, others go on`, () => {
    const scene = bentScene(row, false);
    const { holder, counters } = scene;
    assert.deepEqual([counters.unitsFaulty, counters.recordsApplied], [1, 1]);
    assert.deepEqual(lastRefusal(scene), [a.hi, a.lo]);
    holder.beginRound();
    assert.deepEqual(scene.write(), [b.hi]);
    assert.notEqual(holder.finishRound(1), null, 'nothing of it was applied');
    holder.ends.takeFaults(1);
    const [fault] = holder.ends.takeFaults(501);
    assert.equal(fault!.hi, a.hi);
    assert.ok(fault!.problem instanceof UnreadableRowError);
    assert.doesNotMatch(fault!.problem.message, /old/, 'nothing of the user is told');
  });

  test(`${what}, of a unit in quarantine: its records become letters, and no row is written`, () => {
    const scene = bentScene(row, true);
    const { holder, counters } = scene;
    assert.deepEqual([counters.unitsFaulty, counters.recordsQuarantined], [0, 2]);
    assert.deepEqual(
      holder.ends.takeSealed().map(({ hi }) => hi),
      [a.hi],
    );
    assert.deepEqual(holder.ends.takeSealed(), []);
    holder.beginRound();
    assert.deepEqual(scene.write(), [b.hi]);
    assert.equal(holder.finishRound(1), null, 'the letters are not in the log yet');
    assert.equal(durable(scene), 0);
    assert.deepEqual(scene.letters(), ['a:x@10', 'a:y@11']);
    holder.onOutputsAcked(2, 1);
    assert.notEqual(holder.finishRound(1), null);
    assert.equal(durable(scene), 1);
    assert.equal(holder.dirtyCount, 0);
  });
}

test('a row that comes upon what can not be read: nothing of the unit is durable until it is taken away', () => {
  const scene = bentScene(goodRow, false);
  const { holder } = scene;
  holder.beginRound();
  for (const row of holder.takeRows(10, 1)) {
    if (row.hi === a.hi) holder.onRowCorrupt(row, 'the stored row is bent');
    else holder.onRowAccepted(row, 1);
  }
  assert.equal(scene.counters.unitsFaulty, 1);
  assert.equal(holder.finishRound(1), null);
  scene.takeAway('a');
  assert.notEqual(holder.finishRound(1), null);
  assert.equal(holder.rowsQueued, 0);
});

test('the answer to a row that is not under way any more says nothing', () => {
  const scene = bentScene(goodRow, false);
  const { holder } = scene;
  holder.beginRound();
  const rows = holder.takeRows(10, 1);
  for (const row of rows) holder.onRowAccepted(row, 1);
  for (const row of rows) holder.onRowCorrupt(row, 'the stored row is bent');
  assert.equal(scene.counters.unitsFaulty, 0);
});

test('what is below the markers of its bucket, or came before, is in no letter', () => {
  const scene = new Scene();
  quarantine(scene);
  scene.send(10, [
    ['a', 'x'],
    ['a', 'y'],
  ]);
  const [claim] = scene.holder.takeClaims(1);
  scene.holder.onClaimed(claim!, bent, [{ partition, offset: 11 }], 0, 1);
  scene.send(11, [['a', 'y']]);
  assert.deepEqual(scene.letters(), ['a:y@11']);
  assert.equal(bucketOf(a.hi, a.lo), bucketOf(claim!.hi, claim!.lo));
});

for (const [why, end] of [
  ['is idle', ({ holder }) => holder.ends.closeIdle(10_000, 10)],
  ['moves', ({ holder }) => void holder.ends.moveUnit(a.hi, a.lo, { session: 8 as never, shard: 0 as never }, 1)],
  [
    'is released',
    (scene) => {
      quarantine(scene, { offset: 12 }, 4);
      scene.holder.checkClosed(1);
    },
  ],
] as const satisfies [string, (scene: Scene) => void][]) {
  test(`a sealed unit that ${why}: its lease ends once its letters are in the log, without a row`, () => {
    const scene = bentScene(bent, true);
    const { holder } = scene;
    end(scene);
    scene.send(13, [['a', 'z']]);
    assert.deepEqual(lastRefusal(scene), [a.hi, a.lo]);
    const ends = () => holder.ends.takeEnds(10_000).filter(({ hi }) => hi === a.hi);
    assert.deepEqual(ends(), []);
    holder.onOutputsAcked(1, 1);
    assert.deepEqual(ends(), []);
    holder.onOutputsAcked(2, 1);
    assert.equal(ends().length, 1);
    assert.ok(scene.write().every((hi) => hi !== a.hi));
  });
}

test('a release is seen before the next record: that one is not buried', () => {
  const scene = bentScene(bent, true);
  quarantine(scene, { offset: 12 }, 4);
  scene.send(13, [['a', 'z']]);
  assert.deepEqual(lastRefusal(scene), [a.hi, a.lo]);
  assert.equal(scene.counters.recordsQuarantined, 2);
});

test('a released user whose row still can not be read is faulty again', () => {
  const scene = new Scene();
  quarantine(scene, { offset: 12 });
  scene.send(13, [['a', 'z']]);
  scene.holder.onClaimed(scene.holder.takeClaims(1)[0]!, bent, [], 0, 1);
  assert.deepEqual([scene.counters.unitsFaulty, scene.counters.recordsApplied], [1, 0]);
});

test('a holder that stops waits for the letters of a sealed unit, and for nothing else of it', () => {
  const scene = bentScene(bent, true);
  const { holder } = scene;
  holder.ends.closeAll();
  scene.write();
  assert.equal(holder.ends.allClosed, false);
  holder.onOutputsAcked(2, 1);
  holder.ends.takeEnds(1);
  assert.equal(holder.ends.allClosed, true);
});

test('a move that came to nothing: the unit is claimed anew', () => {
  const scene = bentScene(bent, true);
  const { holder } = scene;
  holder.onOutputsAcked(2, 1);
  // To a session that the table shows over.
  assert.ok(holder.ends.moveUnit(a.hi, a.lo, { session: 3 as never, shard: 0 as never }, 1));
  holder.onTableAdvanced(1);
  scene.send(13, [['a', 'z']]);
  assert.deepEqual(holder.takeClaims(10), [a]);
});

test('a move that came to nothing before the letters were in the log: nobody claims the unit until they are', () => {
  const scene = bentScene(bent, true);
  const { holder } = scene;
  const move = (session: number) =>
    holder.ends.moveUnit(a.hi, a.lo, { session: session as never, shard: 0 as never }, 1);
  assert.ok(move(3));
  holder.onTableAdvanced(1);
  scene.send(13, [['a', 'z']]);
  assert.deepEqual(lastRefusal(scene), [a.hi, a.lo]);
  assert.deepEqual([holder.takeClaims(10), move(8), holder.ends.takeEnds(10_000)], [[], false, []]);
  holder.onOutputsAcked(2, 1);
  holder.ends.takeEnds(10_000);
  holder.checkClosed(1);
  assert.equal(scene.counters.movesVoided, 1);
  assert.ok(move(8), 'it goes elsewhere');
});

test('another store: the unit is claimed there, and what it has of it is written on', () => {
  const scene = bentScene(bent, true);
  const { holder } = scene;
  scene.generationIndex = 10;
  holder.onTableAdvanced(1);
  assert.deepEqual(holder.takeClaims(10), [a]);
  holder.onClaimed(a, goodRow, [], 10, 1);
  scene.letters();
  scene.send(10, [
    ['a', 'x'],
    ['a', 'y'],
  ]);
  assert.deepEqual(scene.letters(), ['a:x@10', 'a:y@11'], 'its row may lack them');
  holder.onOutputsAcked(4, 1);
  holder.beginRound();
  assert.deepEqual(new Set(scene.write()), new Set([a.hi, b.hi]));
});

test('whoever asks for a user that can not be read is told so', () => {
  assert.equal(
    bentScene(bent, true).holder.questions.user(a.hi, a.lo, bytesOf('a'))?.error,
    "its stored row can't be read",
  );
  const faulty = bentScene(bent, false).holder.questions.user(a.hi, a.lo, bytesOf('a'));
  assert.deepEqual([faulty?.user, faulty?.error], [null, "it can't be backed up, or read"]);
});

test('a store with users of another job ends the shard, and nobody is quarantined', () => {
  const scene = new Scene();
  const row = encodeRow({ vector: [], users: [{ key: bytesOf('a'), job: 'before', state: bytesOf('old') }] });
  scene.send(10, [['a', 'x']]);
  assert.throws(() => scene.open(row), /users of a job named 'before', and this one is named 'join'/);
  assert.equal(scene.counters.unitsFaulty, 0);
});

test('where many rows can not be read it is the store or the version, and nobody is quarantined', () => {
  const scene = new Scene();
  const names = Array.from({ length: faultyUnitsMax + 1 }, (_, n) => `u${n}`);
  scene.send(
    10,
    names.map((user) => [user, 'x']),
  );
  const claims = scene.holder.takeClaims(100);
  assert.throws(() => {
    for (const claim of claims) scene.holder.onClaimed(claim, bent, [], 0, 1);
  }, /17 users/);
  assert.deepEqual(scene.holder.ends.takeFaults(1), []);
});
