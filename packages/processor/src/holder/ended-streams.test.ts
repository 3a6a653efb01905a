import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { hashUnit, unitHashOut } from '@holdfast/model';
import { RecordBlockWriter } from '../record-block.ts';
import { bytesOf, partition, Scene, self } from './test-scene.test.ts';

test('what waited for a claim goes with its stream: streams that end again and again leave nothing behind', () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  // The memory of the first one's buffers is given back by the second one at the latest.
  const gc = () => [collect(), collect()];
  const { holder, open, counters } = sceneOf();
  const key = bytesOf('ann');
  hashUnit(key, 0, key.length);
  const { hi, lo } = unitHashOut;
  const value = new Uint8Array(1024 * 1024).fill(0x61);
  const writer = new RecordBlockWriter();
  const send = (incarnation: number) => {
    const stream = holder.openStream({ from: { session: 9 as never, shard: 0 as never }, to: self, incarnation })!;
    writer.append(hi, lo, 5, 1, key, 0, key.length, value, 0, value.length);
    const { baseOffset, count } = writer;
    const head = { number: 1, tableIndex: 10, reading: 1, refusalSeen: 0, topic: 'in', partition, durableWatermark: 0 };
    assert.equal(holder.onFrame(stream, { ...head, baseOffset, count, block: writer.finish() }, 1), null);
    return stream;
  };
  gc();
  const { arrayBuffers } = process.memoryUsage();
  // Each takes the place of the one before; every second one has been closed by then.
  for (let incarnation = 1; incarnation <= 40; incarnation++) {
    const stream = send(incarnation);
    if (incarnation % 2 === 0) holder.closeStream(stream);
  }
  gc();
  const kept = process.memoryUsage().arrayBuffers - arrayBuffers;
  assert.ok(kept < 4 * value.length, `${kept} bytes are kept`);
  const last = send(41);
  open();
  assert.deepEqual([last.settled, counters.recordsApplied], [1, 1]);
});

function sceneOf() {
  const scene = new Scene();
  return { holder: scene.holder, counters: scene.counters, open: () => scene.open() };
}
