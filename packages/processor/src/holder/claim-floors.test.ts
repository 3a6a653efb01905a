import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bucketOf } from '@holdfast/model';
import { decodeRow } from './row-codec.ts';
import { bytesOf, partition, Scene, unitOf } from './test-scene.test.ts';

/** Users whose units lie in one bucket. */
function* neighbours(): Generator<string> {
  const bucketOfUser = (name: string) => bucketOf(unitOf(name).hi, unitOf(name).lo);
  for (let n = 0; ; n++) if (bucketOfUser(`${n}`) === bucketOfUser('a')) yield `${n}`;
}

const names = neighbours();
const [neighbour, later] = [names.next().value as string, names.next().value as string];

/** `a` is held with what was sent up to 10; a claim of its neighbour tells a marker of the bucket at 30. */
function begin() {
  const scene = new Scene();
  const { holder } = scene;
  scene.send(10, [['a', 'x']]);
  scene.open();
  scene.send(11, [[neighbour, 'z']]);
  const upTo = () => holder.claimFloors.unsettled;
  assert.equal(upTo(), null);
  const [claim] = holder.takeClaims(10);
  holder.onClaimed(claim!, null, [{ partition, offset: 30 }], 0, 1);
  const stateOf = (user: string) => {
    const { hi, lo } = unitOf(user);
    return (holder.questions.user(hi, lo, bytesOf(user))?.user?.state as { seen: string } | undefined)?.seen;
  };
  return { scene, holder, upTo, stateOf };
}

test('markers that a claim returns say nothing of units that were held before, until the table shows what they rest on', () => {
  const { scene, holder, upTo, stateOf } = begin();
  assert.equal(stateOf(neighbour), undefined, 'its own record is below');
  // Others may have applied these and those before, if the unit is lost, and this table doesn't show it yet.
  scene.send(12, [['a', 'y']]);
  assert.equal(stateOf('a'), 'xy');
  holder.claimFloors.settle(upTo()!);
  assert.equal(upTo(), null);
  scene.send(13, [['a', 'y']]);
  assert.equal(stateOf('a'), 'xy', 'a duplicate by now');
  scene.send(30, [
    ['a', 'z'],
    [neighbour, 'z'],
  ]);
  assert.deepEqual([stateOf('a'), stateOf(neighbour)], ['xyz', 'z']);
});

test('what was claimed after the question stays for itself', () => {
  const { scene, holder, upTo, stateOf } = begin();
  const asked = upTo()!;
  scene.send(31, [[later, 'w']]);
  for (const claim of holder.takeClaims(10)) holder.onClaimed(claim, null, [{ partition, offset: 40 }], 0, 1);
  holder.claimFloors.settle(asked);
  assert.notEqual(upTo(), null);
  assert.equal(stateOf(later), undefined);
  scene.send(32, [['a', 'y']]);
  assert.equal(stateOf('a'), 'xy');
});

test('rows need no entries below them; a generation writes them down, and they say nothing of the next one', () => {
  const { scene, holder, upTo } = begin();
  const vectorOf = (user: string) => {
    const { hi } = unitOf(user);
    holder.beginRound();
    const rows = holder.takeRows(10, 1);
    for (const row of rows) holder.onRowAccepted(row, 1);
    holder.finishRound(1);
    const row = rows.find((each) => each.hi === hi);
    return row === undefined ? null : decodeRow(row.row).vector.map(({ offset }) => offset);
  };
  scene.send(30, [[neighbour, 'z']]);
  assert.deepEqual(vectorOf(neighbour), [30]);
  scene.send(31, [[later, 'w']]);
  for (const claim of holder.takeClaims(10)) holder.onClaimed(claim, null, [{ partition, offset: 40 }], 0, 1);
  const asked = upTo()!;
  scene.generationIndex = scene.tableIndex = 11;
  holder.onTableAdvanced(1);
  assert.deepEqual(vectorOf(later), [39]);
  assert.equal(upTo(), null);
  holder.claimFloors.settle(asked);
  scene.send(13, [['a', 'y']], 11);
  assert.deepEqual(vectorOf('a'), [13]);
});
