import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import type { FrameReceiver, RecordTransport } from '@holdfast/engine';
import { type ShardRef, sessionId, shardIndex, topicId } from '@holdfast/model';
import type { Frame, Return, StreamId } from '@holdfast/processor';
import { EventLog } from './event-log.ts';

/** How the suite makes what it tests. */
export interface RecordTransportHarness {
  /**
   * A transport of one shard. `address`: where another one that is closed by now had listened.
   * Its cluster is the same for all unless `clusterId` says otherwise.
   */
  create(options: {
    readonly localShard: () => ShardRef | null;
    readonly clusterId?: string;
    readonly address?: string;
  }): RecordTransport;
  /** The suite is over. */
  close?(): Promise<void>;
}

const ingest: ShardRef = { session: sessionId(5), shard: shardIndex(0) };
const holder: ShardRef = { session: sessionId(2 ** 53 - 1), shard: shardIndex(3) };
const toHolder = (incarnation: number): StreamId => ({ from: ingest, to: holder, incarnation });

/** A frame with something in every field. */
export function sampleFrame(number: number, blockBytes = 100): Frame {
  return {
    number,
    tableIndex: 2 ** 53 - 1,
    reading: 7,
    refusalSeen: number - 1,
    topic: 'access log ✓',
    partition: { topicId: topicId('b1946ac9'), partition: 11 },
    durableWatermark: 4_000_000_000 + number,
    baseOffset: 5_000_000_000 + number,
    count: 3,
    block: new Uint8Array(blockBytes).fill(number),
  };
}

type SenderEvent = ['return', Return] | ['drain'] | ['end', string];
type ReceiverEvent = ['open', StreamId] | ['frame', Frame] | ['end', string];

/** Checks that what `RecordTransport` promises is kept. Registers node:test tests. */
export function recordTransportConformance(name: string, makeHarness: () => RecordTransportHarness): void {
  describe(`record transport: ${name}`, () => {
    const harness = makeHarness();
    const created: RecordTransport[] = [];
    after(async () => {
      await Promise.all(created.map((transport) => transport.close()));
      await harness.close?.();
    });
    function create(options: Parameters<RecordTransportHarness['create']>[0]): RecordTransport {
      const transport = harness.create(options);
      created.push(transport);
      return transport;
    }

    function server(options: { localShard?: () => ShardRef | null; clusterId?: string; address?: string } = {}) {
      const transport = create({ localShard: () => holder, ...options });
      const log = new EventLog<ReceiverEvent>();
      const receivers: FrameReceiver[] = [];
      const listening = transport.listen((stream, receiver) => {
        receivers.push(receiver);
        log.add(['open', stream]);
        return { onFrame: (frame) => log.add(['frame', frame]), onEnd: (reason) => log.add(['end', reason]) };
      });
      return { transport, log, receivers, listening };
    }

    function client() {
      const transport = create({ localShard: () => ingest });
      const open = (stream: StreamId, address: string) => {
        const log = new EventLog<SenderEvent>();
        /** How many returns there were when it was accepted. */
        const accepted = new EventLog<number>();
        const sender = transport.open(stream, address, {
          onAccepted: () => accepted.add(log.events.length),
          onReturn: (message) => log.add(['return', message]),
          onDrain: () => log.add(['drain']),
          onEnd: (reason) => log.add(['end', reason]),
        });
        assert.deepEqual([...log.events, ...accepted.events], [], 'no event comes before open has returned');
        return { sender, log, accepted };
      };
      return { transport, open };
    }

    const isEnd = (event: readonly unknown[]) => event[0] === 'end';
    const ends = (log: EventLog<readonly unknown[]>) => log.events.filter(isEnd).length;

    test('frames arrive whole and in order, returns too', async () => {
      const holderSide = server();
      const address = await holderSide.listening;
      const ingestSide = client();
      const { sender, log } = ingestSide.open(toHolder(2 ** 53 - 1), address);
      const frames = [sampleFrame(1), sampleFrame(2, 0), sampleFrame(3, 70_001)];
      for (const frame of frames) sender.send(frame);
      await holderSide.log.count(4);
      assert.deepEqual(holderSide.log.events[0], ['open', toHolder(2 ** 53 - 1)]);
      const got = holderSide.log.events.slice(1).map((event) => event[1] as Frame);
      assert.deepEqual(
        // Deep equality also sees whether the block is plain: a Buffer's `slice` would be a view.
        got,
        frames,
      );
      const returns: Return[] = [
        { kind: 'refused', number: 1, frame: 2, tableIndex: 2 ** 53 - 1, units: Uint32Array.of(0, 0xffffffff, 1, 2) },
        { kind: 'applied', frame: 3 },
        { kind: 'durable', frame: 3, tableIndex: 9 },
        { kind: 'refused', number: 2, frame: 3, tableIndex: 1, units: Uint32Array.of() },
      ];
      for (const message of returns) holderSide.receivers[0]!.reply(message);
      await log.count(4);
      assert.deepEqual(
        log.events,
        returns.map((message) => ['return', message]),
      );
      await Promise.all([ingestSide.transport.close(), holderSide.transport.close()]);
    });

    test('the sender hears once that it is accepted, before any return, though nothing was sent yet', async () => {
      const holderSide = server();
      const ingestSide = client();
      const { sender, log, accepted } = ingestSide.open(toHolder(1), await holderSide.listening);
      await accepted.count(1);
      sender.send(sampleFrame(1));
      await holderSide.log.count(2);
      holderSide.receivers[0]!.reply({ kind: 'applied', frame: 1 });
      await log.count(1);
      await Promise.all([ingestSide.transport.close(), holderSide.transport.close()]);
      assert.deepEqual(accepted.events, [0]);
    });

    test('a frame may be changed once it has been sent', async () => {
      const holderSide = server();
      const ingestSide = client();
      const { sender } = ingestSide.open(toHolder(1), await holderSide.listening);
      const frame = sampleFrame(1, 1000);
      sender.send(frame);
      frame.block.fill(99);
      const [, got] = await holderSide.log.find((event) => event[0] === 'frame');
      assert.ok((got as Frame).block.every((byte) => byte === 1));
      await Promise.all([ingestSide.transport.close(), holderSide.transport.close()]);
    });

    test('send answers false when much is under way, and onDrain follows; nothing is lost', async () => {
      const holderSide = server();
      const ingestSide = client();
      const { sender, log } = ingestSide.open(toHolder(1), await holderSide.listening);
      let sent = 0;
      for (let round = 0; round < 3; round++) {
        while (sender.send(sampleFrame(++sent, 100_000))) assert.ok(sent < 1000, 'send always answers true');
        await log.count(round + 1);
        assert.deepEqual(log.events.at(-1), ['drain']);
      }
      await holderSide.log.count(1 + sent);
      assert.deepEqual(
        holderSide.log.events.slice(1).map((event) => (event[1] as Frame).number),
        Array.from({ length: sent }, (_, i) => i + 1),
      );
      assert.equal(log.events.length, 3);
      await Promise.all([ingestSide.transport.close(), holderSide.transport.close()]);
    });

    test('streams are separate: a newer one to the same holder, and one that ends beside one that goes on', async () => {
      const holderSide = server();
      const address = await holderSide.listening;
      const ingestSide = client();
      const first = ingestSide.open(toHolder(1), address);
      first.sender.send(sampleFrame(1));
      await holderSide.log.count(2);
      const second = ingestSide.open(toHolder(2), address);
      second.sender.send(sampleFrame(1));
      await holderSide.log.count(4);
      holderSide.receivers[0]!.close('superseded');
      await first.log.find(isEnd);
      holderSide.receivers[1]!.reply({ kind: 'applied', frame: 1 });
      await second.log.count(1);
      assert.deepEqual(second.log.events, [['return', { kind: 'applied', frame: 1 }]]);
      assert.match(String(first.log.events.at(-1)?.[1]), /superseded/);
      await Promise.all([ingestSide.transport.close(), holderSide.transport.close()]);
    });

    const refusals: readonly { what: string; options: Parameters<typeof server>[0]; reason: RegExp }[] = [
      {
        what: 'another session',
        options: { localShard: () => ({ ...holder, session: sessionId(9) }) },
        reason: /session 9007199254740991 shard 3 is not served here/,
      },
      {
        what: 'another shard',
        options: { localShard: () => ({ ...holder, shard: shardIndex(4) }) },
        reason: /session 9007199254740991 shard 3 is not served here/,
      },
      { what: 'no session yet', options: { localShard: () => null }, reason: /no session/ },
      { what: 'another cluster', options: { clusterId: 'other' }, reason: /cluster cluster is not served here/ },
    ];
    for (const { what, options, reason } of refusals) {
      test(`refused: ${what} at the address`, async () => {
        const holderSide = server(options);
        const ingestSide = client();
        const { sender, log, accepted } = ingestSide.open(toHolder(1), await holderSide.listening);
        sender.send(sampleFrame(1));
        await log.find(isEnd);
        assert.match(String(log.events[0]?.[1]), reason);
        assert.deepEqual(accepted.events, []);
        await Promise.all([ingestSide.transport.close(), holderSide.transport.close()]);
        assert.equal(log.events.length, 1);
        assert.deepEqual(holderSide.log.events, []);
      });
    }

    test('nobody listens: the stream ends at once, and a new one finds who listens there by then', async () => {
      const earlier = server();
      const address = await earlier.listening;
      await earlier.transport.close();
      const ingestSide = client();
      for (let i = 1; i <= 5; i++) {
        const { sender, log } = ingestSide.open(toHolder(i), address);
        sender.send(sampleFrame(1));
        await log.find(isEnd);
        assert.equal(sender.send(sampleFrame(2)), false);
      }
      const later = server({ address });
      assert.equal(await later.listening, address);
      const { sender } = ingestSide.open(toHolder(6), address);
      sender.send(sampleFrame(1));
      await later.log.count(2);
      await Promise.all([ingestSide.transport.close(), later.transport.close()]);
    });

    test('an address that is taken is refused with ADDRESS_IN_USE', async () => {
      const first = server();
      const address = await first.listening;
      const second = server({ address });
      await assert.rejects(second.listening, { code: 'ADDRESS_IN_USE', address });
      await Promise.all([first.transport.close(), second.transport.close()]);
    });

    test('the receiver closes its transport: both ends hear it once, and nothing after', async () => {
      const holderSide = server();
      const ingestSide = client();
      const { sender, log } = ingestSide.open(toHolder(1), await holderSide.listening);
      sender.send(sampleFrame(1));
      await holderSide.log.count(2);
      await holderSide.transport.close();
      assert.equal(ends(holderSide.log), 1);
      await log.find(isEnd);
      holderSide.receivers[0]!.reply({ kind: 'applied', frame: 1 });
      assert.equal(sender.send(sampleFrame(2)), false);
      sender.close();
      await ingestSide.transport.close();
      assert.deepEqual([log.events.length, ends(log)], [1, 1]);
      assert.ok(isEnd(holderSide.log.events.at(-1)!));
    });

    test('the sender closes: both ends hear it once, and nothing after', async () => {
      const holderSide = server();
      const ingestSide = client();
      const { sender, log } = ingestSide.open(toHolder(1), await holderSide.listening);
      sender.send(sampleFrame(1));
      await holderSide.log.count(2);
      sender.close();
      holderSide.receivers[0]!.reply({ kind: 'applied', frame: 1 });
      assert.deepEqual(log.events, [], 'not from within close');
      await Promise.all([log.find(isEnd), holderSide.log.find(isEnd)]);
      sender.close();
      await Promise.all([ingestSide.transport.close(), holderSide.transport.close()]);
      assert.equal(log.events.length, 1);
      assert.equal(ends(holderSide.log), 1);
      assert.ok(isEnd(holderSide.log.events.at(-1)!));
    });

    test('the receiver may close a stream as it opens', async () => {
      const transport = create({ localShard: () => holder });
      const received = new EventLog<ReceiverEvent>();
      const address = await transport.listen((_stream, receiver) => {
        receiver.close('not today');
        return { onFrame: (frame) => received.add(['frame', frame]), onEnd: (reason) => received.add(['end', reason]) };
      });
      const ingestSide = client();
      const { sender, log, accepted } = ingestSide.open(toHolder(1), address);
      sender.send(sampleFrame(1));
      await Promise.all([log.find(isEnd), received.find(isEnd)]);
      assert.match(String(log.events[0]?.[1]), /not today/);
      assert.deepEqual(accepted.events, []);
      await Promise.all([ingestSide.transport.close(), transport.close()]);
      assert.equal(received.events.length, 1);
    });
  });
}
