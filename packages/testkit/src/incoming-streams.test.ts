import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FrameSender } from '@holdfast/engine';
import { hashUnit, type Logger, type ShardRef, silentLogger, unitHashOut } from '@holdfast/model';
import { type Frame, RecordBlockWriter } from '@holdfast/processor';
import { beginLoneShard } from './lone-shard.test.ts';
import { MemoryRecordTransport } from './memory-record-transport.ts';
import { sampleFrame } from './record-transport-conformance.ts';

/** A lone shard, and somebody who opens streams to it as anybody. */
async function begin(logger: Logger = silentLogger) {
  const shard = await beginLoneShard({ users: ['ann'], logger });
  const { time, network, self, other } = shard;
  const stranger = new MemoryRecordTransport({ network, site: 'n2', localShard: () => null });
  /** What the opener hears goes to `heard`. */
  const open = async (from: ShardRef, incarnation: number) => {
    const heard: string[] = [];
    const sender: FrameSender = stranger.open({ from, to: self, incarnation }, 'n1/0', {
      onAccepted: () => heard.push('accepted'),
      onReturn: ({ kind }) => heard.push(kind),
      onDrain() {},
      onEnd: (reason) => heard.push(reason),
    });
    await time.pass(100);
    return { heard, sender };
  };
  return { ...shard, open, self, other };
}

function frameOf(user: string, offset: number): Frame {
  const bytes = Buffer.from(user);
  hashUnit(bytes, 0, bytes.length);
  const writer = new RecordBlockWriter();
  writer.append(unitHashOut.hi, unitHashOut.lo, offset, 1, bytes, 0, bytes.length, bytes, 0, bytes.length);
  const { count, baseOffset } = writer;
  const block = writer.finish();
  return {
    ...sampleFrame(1),
    topic: 'in',
    tableIndex: 5,
    refusalSeen: 0,
    durableWatermark: 0,
    baseOffset,
    count,
    block,
  };
}

test('a stream that says it comes from the shard itself is refused, and that one reads on', async () => {
  const { time, stats, self, feed, open, end } = await begin();
  await feed('ann');
  await time.pass(1_000);
  const { heard } = await open(self, 2 ** 52);
  assert.deepEqual(heard, ['ABORTED: a stream from the shard that it leads to']);
  await feed('ann');
  await time.pass(1_000);
  assert.equal(stats.get('recordsApplied'), 2);
  await end();
});

test('streams of sessions and shards that are not in the table are refused; they are taken once they are', async () => {
  const { other, showOther, open, end } = await begin();
  const stranger = { ...other, session: 99 as never };
  const second = { ...other, shard: 1 as never };
  const refused = async (from: ShardRef) => {
    const { heard } = await open(from, 1);
    assert.deepEqual(heard, [`ABORTED: session ${from.session} shard ${from.shard} is not known here, or no more`]);
  };
  for (const from of [stranger, other, second]) await refused(from);
  showOther();
  for (const from of [stranger, second]) await refused(from);
  assert.deepEqual((await open(other, 1)).heard, ['accepted']);
  await end();
});

test('a stream that a newer one has taken the place of is ended, and its opener hears of it', async () => {
  const { other, showOther, open, end } = await begin();
  showOther();
  const first = await open(other, 1);
  const second = await open(other, 3);
  assert.deepEqual(first.heard, ['accepted', 'ABORTED: a newer stream took its place']);
  assert.deepEqual((await open(other, 2)).heard, ['ABORTED: a newer stream than incarnation 2 was opened here']);
  assert.deepEqual(second.heard, ['accepted']);
  await end();
});

test('a frame that can not be read ends its stream, not the shard', async () => {
  const warned: unknown[] = [];
  const logger = { ...silentLogger, warn: (_: string, fields: unknown) => void warned.push(fields) };
  const { time, stats, other, showOther, open, end } = await begin(logger);
  showOther();
  const bad = await open(other, 1);
  // Its unit is open by now: what could be read of the next frame would be applied at once.
  bad.sender.send(frameOf('ann', 4));
  await time.pass(1_000);
  assert.equal(stats.get('recordsApplied'), 1);
  bad.sender.send({ ...frameOf('ann', 5), number: 2, count: 2 });
  await time.pass(100);
  const problem = 'frame 2: 1 records in a block of 2';
  assert.deepEqual(bad.heard, ['accepted', 'applied', `ABORTED: ${problem}`]);
  assert.deepEqual(warned, [{ ...other, problem }]);
  assert.equal(stats.get('recordsApplied'), 1);
  const good = await open(other, 2);
  good.sender.send(frameOf('ann', 5));
  await time.pass(100);
  assert.deepEqual([good.heard, stats.get('recordsApplied')], [['accepted', 'applied'], 2]);
  await end();
});

test('records of a topic that this job does not read are refused, and others of their stream are taken', async () => {
  const warned: unknown[] = [];
  const logger = { ...silentLogger, warn: (_: string, fields: unknown) => void warned.push(fields) };
  const { time, stats, other, showOther, open, end } = await begin(logger);
  showOther();
  const { sender, heard } = await open(other, 1);
  const unread = { ...frameOf('ann', 4), topic: 'of-another-version' };
  sender.send(unread);
  sender.send({ ...unread, number: 2 });
  await time.pass(1_000);
  assert.deepEqual(heard, ['accepted', 'refused', 'applied', 'refused', 'applied']);
  assert.equal(stats.get('recordsApplied'), 0);
  sender.send({ ...frameOf('ann', 4), number: 3, refusalSeen: 2 });
  await time.pass(1_000);
  assert.equal(stats.get('recordsApplied'), 1);
  assert.deepEqual(warned, [{ topic: 'of-another-version', ...other }]);
  await end();
});

test('what the job does with a frame that can be read may end the shard, as ever', async () => {
  const shard = await beginLoneShard({
    users: ['ann'],
    onApply: () => {
      throw new Error('the handler wants the job to stop');
    },
  });
  const { time, network, self, other, showOther, end } = shard;
  showOther();
  const sender = new MemoryRecordTransport({ network, site: 'n2', localShard: () => null });
  const events = { onAccepted() {}, onReturn() {}, onDrain() {}, onEnd() {} };
  sender.open({ from: other, to: self, incarnation: 1 }, 'n1/0', events).send(frameOf('ann', 4));
  await time.pass(1_000);
  await end(1);
});

test('an opener that is refused, as long as its session is not known there, tries again until it is taken', async () => {
  const { time, network, other, feed, showOther, grantToOther, saidOf, end } = await beginLoneShard({});
  const there = new MemoryRecordTransport({ network, site: 'n2', localShard: () => other, address: 'n2/0' });
  const log: string[] = [];
  await there.listen((_stream, receiver) => {
    if (log.push('open') < 5) receiver.close('not known here');
    return { onFrame: ({ number, count }) => log.push(`frame ${number} of ${count}`), onEnd() {} };
  });
  showOther();
  grantToOther('ann');
  await feed('ann');
  await time.pass(2_000);
  assert.deepEqual(log, [...Array(5).fill('open'), 'frame 1 of 1']);
  await time.pass(60_000);
  assert.equal(saidOf('giveUp'), 0);
  const closing = there.close();
  await end();
  await closing;
});
