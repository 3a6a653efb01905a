import assert from 'node:assert/strict';
import { test } from 'node:test';
import { closeAll, endShard } from './end-shard.ts';
import { NodeTimers } from './node-timers.ts';

/** A log with one call under way, which ends only with it, and a shard that waits for that call. */
function waiting() {
  const closed = new Set<string>();
  let endCall: () => void = () => undefined;
  const call = new Promise<void>((resolve) => {
    endCall = resolve;
  });
  const shard = { close: () => call.then(() => void closed.add('shard')) };
  const log = {
    close: async () => {
      closed.add('log');
      endCall();
    },
  };
  return { closed, endCall, shard, log };
}

test('a shard that waits for its log ends with the log', async () => {
  const { shard, log, closed } = waiting();
  await endShard(shard, log, new NodeTimers(), 10);
  assert.deepEqual([...closed], ['log', 'shard']);
});

test('otherwise the log is closed last', async () => {
  for (const patienceMs of [500, Number.POSITIVE_INFINITY]) {
    const { shard, log, closed, endCall } = waiting();
    endCall();
    await endShard(shard, log, new NodeTimers(), patienceMs);
    assert.deepEqual([...closed], ['shard', 'log']);
  }
});

test('what is behind one that can not be closed is closed', async () => {
  for (const patienceMs of [10, Number.POSITIVE_INFINITY]) {
    const closed = new Set<string>();
    const shard = { close: () => Promise.reject(new Error('no shard')) };
    const log = { close: async () => void closed.add('log') };
    await assert.rejects(endShard(shard, log, new NodeTimers(), patienceMs), /no shard/);
    assert.deepEqual([...closed], ['log']);
  }
  const order: number[] = [];
  const ends = [1, 2, 3].map((n) => ({
    close: async () => {
      order.push(n);
      if (n < 3) throw new Error(`end ${n}`);
    },
  }));
  await assert.rejects(closeAll(ends), /end 1/);
  assert.deepEqual(order, [1, 2, 3]);
});
