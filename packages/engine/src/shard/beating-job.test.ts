import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Job } from '@holdfast/processor';
import { ShardStats } from '../shard-stats.ts';
import { BeatingJob } from './beating-job.ts';

test('each record moves the heartbeat before it is applied, and the job does what it did', () => {
  const beats: number[] = [];
  const stats = new ShardStats();
  const job = {
    name: 'slow',
    version: '1',
    inputs: ['in'],
    outputs: [],
    idleMs: 5,
    failureReason: 'why',
    leaseEpoch: 1,
    newKeyLocator: () => 'locator',
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
  const key = new Uint8Array();
  for (let i = 0; i < 3; i++) assert.equal(beating.apply('state', key, {} as never, { emit() {} }), 'dead');
  assert.deepEqual(beats, [1, 2, 3]);
  const { name, version, inputs, outputs, idleMs, failureReason } = beating;
  assert.deepEqual(
    { name, version, inputs, outputs, idleMs, failureReason },
    { name: 'slow', version: '1', inputs: ['in'], outputs: [], idleMs: 5, failureReason: 'why' },
  );
  assert.deepEqual(
    [beating.newKeyLocator('in'), beating.initialState(key), beating.decodeState(key), beating.view('state', key)],
    ['locator', 'first', 'read', 'seen'],
  );
  assert.deepEqual(beating.encodeState('state'), new Uint8Array([1]));
  beating.leaseEpoch = 8;
  assert.deepEqual([beating.leaseEpoch, job.leaseEpoch], [8, 8]);
});
