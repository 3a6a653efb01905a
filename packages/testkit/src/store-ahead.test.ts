import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Logger, silentLogger } from '@holdfast/model';
import { beginLoneShard } from './lone-shard.test.ts';

/** A shard that holds one user, whom another has claimed under that epoch, and what it says. */
async function fencedBy(epoch: number) {
  const lines: string[] = [];
  const logger: Logger = { ...silentLogger, error: (text, fields) => void lines.push(text + JSON.stringify(fields)) };
  const scene = await beginLoneShard({ users: ['ann'], logger });
  await scene.claimElsewhere(epoch);
  await scene.feed('ann');
  await scene.time.pass(10_000);
  return { ...scene, lines, ahead: () => scene.stats.get('storeAheadEntries') };
}

test('an epoch that no log can have given is an error at once, said again after a while', async () => {
  const { time, lines, ahead, stats, tableIndex, end } = await fencedBy(2 ** 40);
  assert.deepEqual([ahead(), stats.get('backupsFenced')], [2 ** 40 - tableIndex(), 1]);
  assert.equal(lines.length, 1);
  assert.match(lines[0]!, /STORE_AHEAD.*"epoch":1099511627776,"epochBase":0/);
  await time.pass(60_000);
  assert.equal(lines.length, 1);
  time.leap(600_000);
  await time.pass(1_000);
  assert.equal(lines.length, 2);
  await end();
});

test('an epoch that the log may get to is one only after half a minute, and none once it is there', async () => {
  const { time, lines, ahead, tableIndex, advanceTo, end } = await fencedBy(1_000);
  assert.deepEqual([ahead(), lines.length], [0, 0]);
  await time.pass(19_000);
  assert.deepEqual([ahead(), lines.length], [0, 0]);
  await time.pass(2_000);
  assert.deepEqual([ahead(), lines.length], [1_000 - tableIndex(), 1]);
  advanceTo(1_000);
  await time.pass(1_000);
  assert.deepEqual([ahead(), lines.length], [0, 1]);
  await end();
});
