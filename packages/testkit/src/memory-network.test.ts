import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nodeId, SeededRng, type ShardRef, sessionId, shardIndex } from '@holdfast/model';
import type { RaftMessage } from '@holdfast/raft';
import { MemoryNetwork, type NetworkFaults } from './memory-network.ts';
import { MemoryPeerTransport } from './memory-peer-transport.ts';
import { MemoryRecordTransport } from './memory-record-transport.ts';
import { ImmediateTime } from './network-time.ts';
import { sampleFrame } from './record-transport-conformance.ts';

const ingest: ShardRef = { session: sessionId(1), shard: shardIndex(0) };
const holder: ShardRef = { session: sessionId(2), shard: shardIndex(0) };
const toHolder = { from: ingest, to: holder, incarnation: 1 };

/** Site a sends frames to site b, which applies each. `trace` has what both heard, with the time. */
async function scene(seed: number, faults: Partial<NetworkFaults>) {
  const time = new ImmediateTime();
  const network = new MemoryNetwork({ time, rng: new SeededRng(seed), faults });
  const a = new MemoryRecordTransport({ network, site: 'a', localShard: () => ingest });
  const b = new MemoryRecordTransport({ network, site: 'b', localShard: () => holder });
  const trace: string[] = [];
  const say = (text: string) => trace.push(`${time.monotonicMs()} ${text}`);
  const address = await b.listen((_stream, receiver) => {
    say('b open');
    return {
      onFrame: (frame) => {
        say(`b frame ${frame.number}`);
        receiver.reply({ kind: 'applied', frame: frame.number });
      },
      onEnd: (reason) => say(`b end ${reason}`),
    };
  });
  const open = () =>
    a.open(toHolder, address, {
      onAccepted() {},
      onReturn: (message) => say(`a ${message.kind} ${message.frame}`),
      onDrain: () => say('a drain'),
      onEnd: (reason) => say(`a end ${reason}`),
    });
  return { time, network, trace, open };
}

const numbers = (trace: readonly string[], what: string) =>
  trace.flatMap((line) => {
    const found = new RegExp(`^\\d+ ${what} (\\d+)$`).exec(line);
    return found === null ? [] : [Number(found[1])];
  });
const upTo = (last: number) => Array.from({ length: last }, (_, i) => i + 1);

test('the same seed gives the same history, another one another; order and gaps are as promised', async () => {
  async function history(seed: number): Promise<string[]> {
    const { time, trace, open } = await scene(seed, { delayMsMin: 1, delayMsMax: 20, streamBreakRatio: 0.02 });
    const sender = open();
    for (let i = 1; i <= 100; i++) {
      sender.send(sampleFrame(i));
      await time.pass(3);
    }
    await time.pass(10_000);
    return trace;
  }
  const breaks = new Set<number>();
  for (let seed = 1; seed <= 20; seed++) {
    const trace = await history(seed);
    assert.deepEqual(await history(seed), trace);
    const arrived = numbers(trace, 'b frame');
    assert.deepEqual(arrived, upTo(arrived.length), 'a prefix, in order');
    const applied = numbers(trace, 'a applied');
    assert.deepEqual(applied, upTo(applied.length));
    const count = (what: string) => trace.filter((line) => line.includes(what)).length;
    const broke = applied.length < 100 ? 1 : 0;
    assert.ok(count(' a end ') >= broke && count(' a end ') <= 1, 'told once if it broke');
    assert.equal(count(' b end '), count(' a end ') * count(' b open'));
    breaks.add(arrived.length);
  }
  assert.ok(breaks.size > 5, 'streams break at different places');
});

test('a cut that heals in time is a delay; a longer one ends the stream at both ends', async () => {
  const { time, network, trace, open } = await scene(1, { delayMsMin: 1, delayMsMax: 1, noticeMs: 100 });
  const sender = open();
  sender.send(sampleFrame(1));
  await time.pass(10);
  network.cut('a', 'b');
  sender.send(sampleFrame(2));
  await time.pass(50);
  assert.deepEqual(numbers(trace, 'b frame'), [1]);
  network.heal('a', 'b');
  await time.pass(60);
  assert.deepEqual(numbers(trace, 'a applied'), [1, 2]);
  network.cut('b', 'a');
  sender.send(sampleFrame(3));
  await time.pass(99);
  assert.deepEqual(numbers(trace, 'b frame'), [1, 2, 3]);
  assert.deepEqual(numbers(trace, 'a applied'), [1, 2]);
  await time.pass(10);
  assert.match(trace.join('\n'), /a end UNAVAILABLE: no sign of life for 100 ms/);
  assert.match(trace.join('\n'), /b end no sign of life/);
  open();
  await time.pass(101);
  assert.equal(trace.filter((line) => line.includes(' a end UNAVAILABLE: no ')).length, 2);
});

test('a crash: the site hears nothing more, the other end does', async () => {
  const { time, network, trace, open } = await scene(1, { delayMsMin: 1, delayMsMax: 1 });
  const sender = open();
  sender.send(sampleFrame(1));
  await time.pass(10);
  sender.send(sampleFrame(2));
  network.crash('b');
  await time.pass(10);
  assert.deepEqual(numbers(trace, 'b frame'), [1]);
  assert.ok(!trace.some((line) => line.includes(' b end ')));
  assert.match(trace.join('\n'), /a end UNAVAILABLE: connection reset/);
  open();
  await time.pass(10);
  assert.match(trace.at(-1)!, /a end UNAVAILABLE: nobody listens/);
});

test('Raft batches are lost and doubled, never changed or out of order; a lost call ends at its deadline', async () => {
  const time = new ImmediateTime();
  const faults = { delayMsMin: 1, delayMsMax: 30, lossRatio: 0.3, duplicateRatio: 0.2 };
  const network = new MemoryNetwork({ time, rng: new SeededRng(3), faults });
  const one = new MemoryPeerTransport({ network, site: 'a', nodeId: nodeId('one') });
  const two = new MemoryPeerTransport({ network, site: 'b', nodeId: nodeId('two') });
  const got: number[] = [];
  const address = await two.listen({
    onRaft: (_from, messages) => got.push(...messages.map((message) => message.term)),
    onCall: async (_from, _method, body) => body,
    onUnreachable() {},
  });
  one.setPeers(new Map([[nodeId('two'), address]]));
  for (let i = 1; i <= 300; i++) {
    const message: RaftMessage = { type: 'timeoutNow', from: 'one', to: 'two', term: i };
    one.sendRaft(nodeId('two'), [message]);
    await time.pass(1);
  }
  await time.pass(1_000);
  assert.deepEqual(
    got,
    got.toSorted((x, y) => x - y),
  );
  const distinct = new Set(got).size;
  assert.ok(distinct > 180 && distinct < 240, `${distinct} of 300 arrived`);
  assert.ok(got.length - distinct > 20, `${got.length - distinct} doubled`);
  const outcomes = Array.from({ length: 50 }, () =>
    one.call(nodeId('two'), 'echo', new Uint8Array(1), 200).then(
      () => 'answered',
      (error) => error.code,
    ),
  );
  await time.pass(300);
  assert.deepEqual([...new Set(await Promise.all(outcomes))].sort(), ['DEADLINE', 'answered']);
});
