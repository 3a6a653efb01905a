import assert from 'node:assert/strict';
import { test } from 'node:test';
import { beginLoneShard } from './lone-shard.test.ts';
import { MemoryRecordTransport } from './memory-record-transport.ts';

test('partitions are given up while records wait for a holder that can not be reached, again and again', async () => {
  const { time, feed, showOther, grantToOther, saidOf, end } = await beginLoneShard({});
  showOther();
  grantToOther('ann');
  await feed('ann');
  await time.pass(9_000);
  assert.equal(saidOf('giveUp'), 0);
  await time.pass(2_000);
  assert.equal(saidOf('giveUp'), 1);
  await time.pass(10_000);
  assert.ok(saidOf('giveUp') >= 4, `${saidOf('giveUp')} times`);
  await end();
});

test('nor is a holder missed for which nothing waits any more, though it was never reached', async () => {
  const { time, stats, feed, showOther, grantToOther, moveHere, saidOf, end } = await beginLoneShard({});
  showOther();
  grantToOther('ann');
  await feed('ann');
  await time.pass(5_000);
  assert.equal(stats.get('recordsApplied'), 0);
  moveHere('ann');
  await time.pass(60_000);
  assert.deepEqual([stats.get('recordsApplied'), saidOf('giveUp')], [1, 0]);
  // Missed anew: what it was missed for before counts no more.
  grantToOther('bob');
  await feed('bob');
  await time.pass(9_000);
  assert.equal(saidOf('giveUp'), 0);
  await time.pass(2_000);
  assert.equal(saidOf('giveUp'), 1);
  await end();
});

test('a holder that has taken the stream is reached, though it waits for its store', async () => {
  const { time, network, other, feed, showOther, grantToOther, saidOf, end } = await beginLoneShard({});
  const there = new MemoryRecordTransport({ network, site: 'n2', localShard: () => other, address: 'n2/0' });
  const log: string[] = [];
  await there.listen(() => ({
    onFrame: ({ number }) => log.push(`frame ${number}`),
    onEnd: (reason) => log.push(reason),
  }));
  showOther();
  grantToOther('ann');
  await feed('ann');
  await time.pass(60_000);
  assert.deepEqual([log, saidOf('giveUp')], [['frame 1'], 0]);
  // It is gone: what is sent again is taken by nobody.
  const closed = there.close();
  await time.pass(9_000);
  await closed;
  assert.equal(saidOf('giveUp'), 0);
  await time.pass(3_000);
  assert.equal(saidOf('giveUp'), 1);
  await end();
});

test('a holder that takes each stream, and to which no frame gets, is not reached', async () => {
  const { time, network, other, feed, showOther, grantToOther, saidOf, end } = await beginLoneShard({});
  const there = new MemoryRecordTransport({ network, site: 'n2', localShard: () => other, address: 'n2/0' });
  let opened = 0;
  let answers = false;
  await there.listen((_stream, receiver) => {
    opened++;
    // A path that lets the hello through and nothing large: its keepalive cuts the connection.
    const cut = time.setTimer(8_000, () => receiver.close('keepalive'));
    return {
      onFrame({ number }) {
        if (!answers) return;
        cut();
        receiver.reply({ kind: 'applied', frame: number });
      },
      onEnd() {},
    };
  });
  showOther();
  grantToOther('ann');
  await feed('ann');
  await time.pass(30_000);
  const said = saidOf('giveUp');
  assert.ok(opened > 2 && said > 0, `${opened} streams, ${said} times`);
  answers = true;
  await time.pass(10_000);
  const before = saidOf('giveUp');
  await feed('ann');
  await time.pass(60_000);
  assert.equal(saidOf('giveUp'), before, 'a return has come: it is reached again');
  const closing = there.close();
  await end();
  await closing;
});
