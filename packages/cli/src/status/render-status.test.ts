import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exitCodes } from '../exit-codes.ts';
import { sampleStatus } from '../sample-documents.test.ts';
import { changeKey, healthExit, isEstablished } from './changes.ts';
import { renderStatus } from './render-status.ts';

const plain = (_kind: string, text: string) => text;

test('status: an unreachable node is a row with its error and last known values', () => {
  assert.deepEqual(renderStatus(sampleStatus, { wide: false, style: plain }), [
    'prod 9c1e07  DEGRADED  n3 suspect for 4.1s (deadline); 41655 keys wait for its session to end; no further failure is tolerated',
    'leader n2 (term 14, 3h12m)  quorum 2/3  in 32.5k rec/s  lag 1,204 rec 0.8s  oldest backup 19s',
    'balancing paused: a node is unreachable; loads are uneven',
    'NODE  ADDR            MEMBER   RAFT      TRAILS  LEASES   REC/S  FWD/S  QUEUE  LOOP-P99  CPU   RSS   BACKUP  VERSION  UP',
    'n1    10.0.0.11:7400  alive    follower  0       41,870   16.1k  3.9k   12     6.1ms     212%  612M  4s      0.4.1    3d4h',
    'n2*   10.0.0.12:7400  alive    leader    -       41,902   16.1k  3.9k   12     6.1ms     212%  612M  4s      0.4.1    3d4h',
    'n3    10.0.0.13:7400  suspect  ?         ?       41,655?  -      -      -      -         -     -     19s?    0.4.1    -     no ack',
  ]);
});

test('status -o wide: a row per shard', () => {
  const lines = renderStatus(sampleStatus, { wide: true, style: plain });
  assert.equal(lines.length, 8);
  assert.match(
    lines[5]!,
    /^ {2}n1\/0 +10\.0\.0\.11:41001 +41,870 +16\.1k +3\.9k +12 +4s +reads access-log\/0 access-log\/3, hottest alice 1\.2k\/s$/,
  );
});

test('balancing: what is left, why it is paused, nothing where all is even', () => {
  const lineOf = (balancing: typeof sampleStatus.balancing) =>
    renderStatus({ ...sampleStatus, balancing, nodes: [] }, { wide: false, style: plain }).slice(2, -1);
  assert.deepEqual(lineOf({ active: true, left: 1_200, pause: null }), [
    'balancing: 1,200 leases to move in this round',
  ]);
  assert.deepEqual(lineOf({ active: false, left: 0, pause: 'ROLLOUT' }), [
    'balancing paused: a node stops, or versions differ',
  ]);
  assert.deepEqual(lineOf({ active: false, left: 0, pause: 'NEW' }), ['balancing paused: NEW']);
  assert.deepEqual(lineOf({ active: false, left: 0, pause: null }), []);
  assert.deepEqual(lineOf(null), []);
});

test('without a leader, and without figures, nothing is 0 or NaN', () => {
  const cluster = { ...sampleStatus.cluster, leader: null, leaderSinceMs: null, id: null };
  const ingest = { recordsPerSec: null, lagRecords: null, lagSeconds: null, lagAgeMs: null };
  const lines = renderStatus({ ...sampleStatus, cluster, ingest, nodes: [] }, { wide: false, style: plain });
  assert.equal(lines[1], 'no leader  quorum 2/3  in - rec/s  lag - rec -  oldest backup 19s');
});

test('a watcher hears of states, not of figures', () => {
  const key = changeKey(sampleStatus);
  assert.equal(changeKey({ ...sampleStatus, at: 'later', ingest: { ...sampleStatus.ingest, recordsPerSec: 1 } }), key);
  assert.notEqual(changeKey({ ...sampleStatus, cluster: { ...sampleStatus.cluster, leader: 'n1' } }), key);
});

test('exit codes tell degraded from unhealthy; established wants the nodes and their health', () => {
  assert.equal(healthExit(sampleStatus), exitCodes.degraded);
  const healthy = { ...sampleStatus, cluster: { ...sampleStatus.cluster, health: 'ok' as const } };
  assert.equal(healthExit(healthy), exitCodes.ok);
  assert.equal(isEstablished(healthy, 2), true);
  assert.equal(isEstablished(healthy, 3), false);
  assert.equal(isEstablished(sampleStatus, 2), false);
});
