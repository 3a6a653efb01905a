import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bucketOf } from '@holdfast/model';
import { decodeRow, encodeRow } from './row-codec.ts';
import { bytesOf, partition, Scene, unitOf } from './test-scene.test.ts';

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

for (const [what, begin] of [
  ['a round that waits for a row', ({ holder }: Scene) => void holder.takeRows(10, 1)],
  ['a unit whose state can not be written', (scene: Scene) => void scene.write()],
] as const) {
  test(`what is taken away from ${what} is not durable before the table shows the index of that end`, () => {
    const scene = new Scene();
    const { holder, stream } = scene;
    scene.send(10, [['a', 'spoilt']]);
    scene.open();
    holder.beginRound();
    begin(scene);
    // The control thread is in the midst of a batch of entries: this one's lease is gone, its index isn't there yet.
    scene.endUnseen('a', 11);
    holder.checkClosed(2);
    assert.equal(holder.unitCount, 0);
    assert.equal(holder.finishRound(2), null);
    scene.tableIndex = 11;
    assert.notEqual(holder.finishRound(2), null);
    const reports = stream.returns.filter(({ kind }) => kind === 'durable');
    assert.deepEqual(reports, [{ kind: 'durable', frame: 1, tableIndex: 11 }]);
  });
}

test('what a generation writes down of all partitions is forgotten once markers vouch for it again', () => {
  const scene = new Scene();
  const { holder } = scene;
  scene.send(100, [['a', 'x']]);
  const others = Array.from({ length: 50 }, (_, n) => ({ partition: { ...partition, partition: 100 + n }, offset: 7 }));
  for (const claim of holder.takeClaims(10)) holder.onClaimed(claim, null, others, 0, 1);
  const vector = () =>
    holder.questions.vectorOf(holder.questions.user(unitOf('a').hi, unitOf('a').lo, bytesOf('a'))!.unit);
  scene.generationIndex = scene.tableIndex = 11;
  holder.onTableAdvanced(2);
  holder.beginRound();
  const [row] = holder.takeRows(10, 2);
  assert.equal(decodeRow(row!.row).vector.length, 51, 'the new store has no markers yet');
  holder.onRowAccepted(row!, 2);
  const bucket = bucketOf(unitOf('a').hi, unitOf('a').lo);
  for (const { partition, offset } of others)
    holder.onMarked({ bucket, slot: holder.partitions.slot(partition), offset: offset + 1 }, 11);
  assert.notEqual(holder.finishRound(3), null);
  scene.send(101, [['a', 'y']], 11);
  holder.beginRound();
  assert.equal(decodeRow(holder.takeRows(10, 3)[0]!.row).vector.length, 1);
  assert.equal(Object.keys(vector()).length, 1);
});

test('a claim that was answered under an earlier generation is made again, though its call has more answers', () => {
  const scene = new Scene();
  const { holder } = scene;
  scene.send(10, [['a', 'x']]);
  const [claim] = holder.takeClaims(10);
  // Between two answers of one call the control thread writes the entry of the store's next life.
  scene.generationIndex = scene.tableIndex = 11;
  const users = [{ key: bytesOf('a'), job: 'join', state: bytesOf('old') }];
  const row = encodeRow({ vector: [{ partition, offset: 100 }], users });
  for (let i = 0; i < 2; i++) holder.onClaimed(claim!, row, [{ partition, offset: 90 }], 0, 1);
  assert.deepEqual([holder.claimsQueued, scene.counters.unitsClaimed], [1, 0]);
  scene.open();
  assert.equal(scene.counters.unitsClaimed, 1);
});

test('a marker that was answered under an earlier generation is no floor', () => {
  const scene = new Scene();
  const { holder } = scene;
  scene.send(10, [['a', 'x']]);
  scene.open();
  scene.generationIndex = scene.tableIndex = 11;
  holder.onTableAdvanced(1);
  const { bucket, slot } = {
    bucket: bucketOf(unitOf('a').hi, unitOf('a').lo),
    slot: holder.partitions.slot(partition),
  };
  holder.onMarked({ bucket, slot, offset: 90 }, 0);
  holder.beginRound();
  const { vector } = decodeRow(holder.takeRows(10, 1)[0]!.row);
  assert.deepEqual(vector, [{ partition, offset: 10 }], 'no record after it is taken for a duplicate');
});

test("what waits for its unit's row at a generation goes back at once: the round that it waited for is void", () => {
  const scene = new Scene();
  const { holder, stream } = scene;
  scene.send(0, [['a', 'x+']]);
  scene.open();
  holder.beginRound();
  assert.deepEqual(scene.write(), [], 'its output is not acknowledged');
  scene.send(1, [['a', 'y']]);
  assert.deepEqual([stream.received, stream.settled], [2, 1]);
  scene.generationIndex = scene.tableIndex = 11;
  stream.returns.length = 0;
  holder.onTableAdvanced(2);
  const { hi, lo } = unitOf('a');
  const refused = { kind: 'refused', number: 1, frame: 2, tableIndex: 11, units: Uint32Array.of(hi, lo) };
  assert.deepEqual(stream.returns, [refused, { kind: 'applied', frame: 2 }]);
  // What is read again is applied as it comes, though the next round is far off.
  scene.refusalSeen = 1;
  scene.send(1, [['a', 'z']], 11);
  assert.deepEqual([stream.settled, scene.counters.recordsApplied], [3, 2]);
});
