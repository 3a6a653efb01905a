import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Job } from '@holdfast/processor';
import { ShardStats } from '../shard-stats.ts';
import { BeatingJob } from './beating-job.ts';

test('each record moves the heartbeat, before its key is looked for and before it is applied, and the job does what it did', () => {
  const beats: number[] = [];
  const stats = new ShardStats();
  const key = new Uint8Array();
  const job = {
    name: 'slow',
    version: '1',
    inputs: ['in'],
    outputs: [],
    idleMs: 5,
    failureReason: 'why',
    leaseEpoch: 1,
    newKeyLocator: () => ({ keyBytes: key, keyStart: 2, keyEnd: 5, reason: 'why', locate: () => 1 }),
    initialState: () => 'first',
    encodeState: () => new Uint8Array([1]),
    decodeState: () => 'read',
    apply: () => {
      beats.push(stats.get('heartbeat'));
      return 'dead';
    },
    view: () => 'seen',
  } as unknown as Job;
  const beating = new BeatingJob(job, stats);
  for (let i = 0; i < 3; i++) assert.equal(beating.apply('state', key, {} as never, { emit() {} }), 'dead');
  assert.deepEqual(beats, [1, 2, 3]);
  const { name, version, inputs, outputs, idleMs, failureReason } = beating;
  assert.deepEqual(
    { name, version, inputs, outputs, idleMs, failureReason },
    { name: 'slow', version: '1', inputs: ['in'], outputs: [], idleMs: 5, failureReason: 'why' },
  );
  assert.deepEqual(
    [beating.initialState(key), beating.decodeState(key), beating.view('state', key)],
    ['first', 'read', 'seen'],
  );
  const locator = beating.newKeyLocator('in');
  for (let i = 4; i <= 6; i++) assert.deepEqual([locator.locate(key, 0, 0), stats.get('heartbeat')], [1, i]);
  const { keyBytes, keyStart, keyEnd, reason } = locator;
  assert.deepEqual({ keyBytes, keyStart, keyEnd, reason }, { keyBytes: key, keyStart: 2, keyEnd: 5, reason: 'why' });
  assert.deepEqual(beating.encodeState('state'), new Uint8Array([1]));
  beating.leaseEpoch = 8;
  assert.deepEqual([beating.leaseEpoch, job.leaseEpoch], [8, 8]);
});
