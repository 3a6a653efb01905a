import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Scene, text, unitOf } from './test-scene.test.ts';

const { hi, lo } = unitOf('a');
const user = Buffer.from('a');
const stateOf = ({ holder }: Scene) => holder.questions.user(hi, lo, user)?.user?.state ?? null;
const reports = ({ stream }: Scene) => stream.returns.filter(({ kind }) => kind === 'durable').length;

/** The row of user `a` with this in its state, as a holder before has left it. */
function rowWith(value: string): Uint8Array {
  const scene = new Scene();
  scene.send(0, [['a', value]]);
  scene.open();
  scene.holder.beginRound();
  return scene.holder.takeRows(1, 1)[0]!.row;
}

test('a row that came late is written anew under a higher seq; its unit stays, and nothing is durable before', () => {
  const scene = new Scene();
  const { holder } = scene;
  scene.send(0, [['a', 'x']]);
  scene.open();
  holder.beginRound();
  const [first] = holder.takeRows(10, 1);
  holder.onRowStale(first!);
  assert.equal(holder.finishRound(1), null);
  assert.deepEqual([holder.unitCount, reports(scene)], [1, 0]);
  const [again] = holder.takeRows(10, 1);
  assert.ok(again!.seq > first!.seq);
  assert.deepEqual([again!.epoch, text(again!.row)], [first!.epoch, text(first!.row)]);
  holder.onRowAccepted(first!, 1);
  assert.equal(holder.finishRound(1), null, 'an answer to the row before is not the answer to this one');
  holder.onRowAccepted(again!, 1);
  assert.notEqual(holder.finishRound(1), null);
  assert.equal(reports(scene), 1);
});

test('the lease was lost and granted again while a claim was under way: its answer opens nothing', () => {
  const scene = new Scene();
  const { holder } = scene;
  scene.send(0, [['a', 'x']]);
  const [early] = holder.takeClaims(10);
  scene.takeAway('a');
  scene.grantAgain(7);
  // Between the two leases another holder has applied what was refused here.
  scene.refusalSeen = 1;
  scene.send(1, [['a', 'y']]);
  const [claim] = holder.takeClaims(10);
  assert.deepEqual([early!.epoch, claim!.epoch], [5, 7]);
  holder.onClaimed(early!, null, [], 0, 1);
  assert.equal(stateOf(scene), null);
  holder.onClaimed(claim!, rowWith('x'), [], 0, 1);
  assert.deepEqual(stateOf(scene), { seen: 'xy' });
});

test('the lease was lost and granted again while a row was under way: its answer saves nothing', () => {
  const scene = new Scene();
  const { holder } = scene;
  const writeOne = () => {
    holder.beginRound();
    return holder.takeRows(10, 1)[0]!;
  };
  scene.send(0, [['a', 'x']]);
  scene.open();
  const early = writeOne();
  scene.takeAway('a');
  assert.notEqual(holder.finishRound(1), null);
  scene.grantAgain(7);
  scene.send(1, [['a', 'y']]);
  scene.open();
  const before = reports(scene);
  const row = writeOne();
  assert.deepEqual([early.seq, row.seq], [1, 1]);
  holder.onRowAccepted(early, 1);
  assert.equal(holder.finishRound(1), null);
  assert.equal(reports(scene), before);
  holder.onRowAccepted(row, 1);
  assert.notEqual(holder.finishRound(1), null);
});
