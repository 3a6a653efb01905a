import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultShardSettings, LogError } from '@holdfast/engine';
import { beginLoneShard } from './lone-shard.test.ts';

const { deadLetterTopic } = defaultShardSettings;
/** The job passes over it: it is durable at once. */
const passedOver = '-';

test('offsets that can not be committed for 15 s are told of, with tries and error, until they can', async () => {
  let isRefused = false;
  const before = (operation: string): void => {
    if (isRefused && operation === 'commit') throw new LogError('LOG_IO', `no rights ${'x'.repeat(1_000)}`);
  };
  const { time, stats, feed, heldBack, saidOf, committed, end } = await beginLoneShard({ logHooks: { before } });
  await time.pass(2_000);
  isRefused = true;
  await feed(passedOver);
  await time.pass(14_000);
  assert.deepEqual(heldBack(), [], 'a broker may be restarting');
  await time.pass(3_000);
  const [held, ...others] = heldBack();
  assert.deepEqual([held!.what, held!.topic, others], ['commits', null, []]);
  assert.ok(held!.tries >= 14 && held!.begunMs >= 2_000 && held!.begunMs <= 4_000, JSON.stringify(held));
  assert.match(held!.error!, /^no rights x{200,300}…$/);
  await time.pass(60_000);
  assert.ok(heldBack()[0]!.tries >= 60 && saidOf('heldBack') <= 8, 'told again now and then, not at each try');
  assert.equal(stats.get('partitionsStopped'), 0);
  isRefused = false;
  await time.pass(2_000);
  assert.deepEqual([heldBack(), (await committed())!.offset], [[], 1]);
  const said = saidOf('heldBack');
  await time.pass(60_000);
  assert.equal(saidOf('heldBack'), said, 'nothing is told while there is nothing');
  await end();
});

test('a commit that failed just once, of a partition that others read since, holds nothing back', async () => {
  let isRefused = true;
  const before = (operation: string): void => {
    if (isRefused && operation === 'commit') throw new LogError('LOG_IO', 'away');
  };
  const { time, feed, heldBack, losePartition, end } = await beginLoneShard({ logHooks: { before } });
  await feed(passedOver);
  await time.pass(20_000);
  assert.equal(heldBack().length, 1);
  losePartition();
  await time.pass(2_000);
  isRefused = false;
  assert.deepEqual(heldBack(), []);
  await end();
});

for (const operation of ['append', 'createTopic']) {
  test(`letters and outputs that their topics refuse at ${operation} are told of, each with its topic`, async () => {
    let isRefused = false;
    const before = (name: string): void => {
      if (isRefused && name === operation) throw new LogError('LOG_IO', 'INVALID_RECORD');
    };
    const { time, feed, heldBack, committed, end } = await beginLoneShard({ users: ['u'], logHooks: { before } });
    await feed('?');
    await feed('u!');
    isRefused = true;
    await time.pass(14_000);
    assert.deepEqual(heldBack(), []);
    await time.pass(3_000);
    const told = heldBack().map(({ what, topic, error }) => [what, topic, error]);
    assert.deepEqual(told, [
      ['outputs', 'out', 'INVALID_RECORD'],
      ['letters', deadLetterTopic, 'INVALID_RECORD'],
    ]);
    isRefused = false;
    await time.pass(40_000);
    assert.deepEqual([heldBack(), (await committed())!.offset], [[], 2]);
    await end();
  });
}

test('a letter of which no answer comes is told of too', async () => {
  let answer: () => void = () => {};
  let isSilent = false;
  const before = (operation: string) => {
    if (!isSilent || operation !== 'append') return;
    return new Promise<void>((resolve) => {
      answer = resolve;
    });
  };
  const { time, feed, heldBack, end } = await beginLoneShard({ logHooks: { before } });
  await feed('?');
  isSilent = true;
  await time.pass(20_000);
  assert.deepEqual(
    heldBack().map(({ what, tries, error }) => [what, tries, error]),
    [['letters', 0, null]],
  );
  isSilent = false;
  answer();
  await time.pass(1_000);
  assert.deepEqual(heldBack(), []);
  await end();
});
