import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import type { PeerHandlers, PeerTransport } from '@holdfast/engine';
import { type NodeId, nodeId } from '@holdfast/model';
import { type RaftMessage, simpleConf } from '@holdfast/raft';
import { EventLog } from './event-log.ts';

/** How the suite makes what it tests. */
export interface PeerTransportHarness {
  /**
   * A transport of one node. `address`: where another one that is closed by now had listened.
   * Its cluster is the same for all unless `clusterId` says otherwise.
   */
  create(options: {
    readonly nodeId: NodeId;
    readonly clusterId?: string;
    readonly address?: string;
    /** Bound of the queue of Raft messages to one peer. */
    readonly raftQueueCountMax?: number;
  }): PeerTransport;
  /** Lets time pass: deadlines, and tries to reconnect. */
  pass(durationMs: number): Promise<void>;
  /** The suite is over. */
  close?(): Promise<void>;
}

const one = nodeId('one');
const two = nodeId('two');

type PeerEvent = ['raft', NodeId, readonly RaftMessage[]] | ['unreachable', NodeId] | ['call', NodeId, string];

function heartbeat(readRound: number): RaftMessage {
  return { type: 'heartbeat', from: 'one', to: 'two', term: 3, commit: 2, readRound };
}

const messages: readonly RaftMessage[] = [
  {
    type: 'append',
    from: 'one',
    to: 'two',
    term: 2 ** 53 - 1,
    prevIndex: 7,
    prevTerm: 2,
    commit: 6,
    entries: [
      { term: 2, index: 8, kind: 'conf', data: Uint8Array.of(0, 255, 1) },
      { term: 3, index: 9, kind: 'data', data: new Uint8Array(0) },
    ],
  },
  heartbeat(1),
  { type: 'preVote', from: 'one', to: 'two', term: 4, lastIndex: 9, lastTerm: 3 },
];

/** Checks that what `PeerTransport` promises is kept. Registers node:test tests. */
export function peerTransportConformance(name: string, makeHarness: () => PeerTransportHarness): void {
  describe(`peer transport: ${name}`, () => {
    const harness = makeHarness();
    const created: PeerTransport[] = [];
    after(async () => {
      await Promise.all(created.map((transport) => transport.close()));
      await harness.close?.();
    });

    function peer(
      options: Parameters<PeerTransportHarness['create']>[0],
      onCall: PeerHandlers['onCall'] = async (_from, _method, body) => body,
    ) {
      const transport = harness.create(options);
      created.push(transport);
      const log = new EventLog<PeerEvent>();
      const listening = transport.listen({
        onRaft: (from, batch) => log.add(['raft', from, batch]),
        onUnreachable: (node) => log.add(['unreachable', node]),
        onCall: (from, method, body) => {
          log.add(['call', from, method]);
          return onCall(from, method, body);
        },
      });
      return { transport, log, listening };
    }

    async function pair(onCall?: PeerHandlers['onCall']) {
      const a = peer({ nodeId: one });
      const b = peer({ nodeId: two }, onCall);
      a.transport.setPeers(new Map([[two, await b.listening]]));
      b.transport.setPeers(new Map([[one, await a.listening]]));
      const close = () => Promise.all([a.transport.close(), b.transport.close()]);
      return { a, b, close };
    }

    const received = (log: EventLog<PeerEvent>) =>
      log.events.flatMap((event) => (event[0] === 'raft' ? (event[2] as RaftMessage[]) : []));
    const rounds = (log: EventLog<PeerEvent>) =>
      received(log).map((message) => (message.type === 'heartbeat' ? message.readRound : -1));
    const hasRound = (round: number) => (event: PeerEvent) =>
      event[0] === 'raft' && event[2].some((message) => message.type === 'heartbeat' && message.readRound === round);
    const isUnreachable = (event: PeerEvent) => event[0] === 'unreachable';

    /** Raft sends again and again: so does this, until it has arrived. */
    async function sendUntil(from: PeerTransport, log: EventLog<PeerEvent>, round: number): Promise<void> {
      for (let i = 0; i < 200 && !log.events.some(hasRound(round)); i++) {
        from.sendRaft(two, [heartbeat(round)]);
        await harness.pass(20);
      }
      assert.ok(log.events.some(hasRound(round)), `heartbeat ${round} never arrived`);
    }

    test('Raft messages arrive whole, in order, with the name of their sender', async () => {
      const { a, b, close } = await pair();
      a.transport.sendRaft(two, messages);
      for (let i = 10; i < 500; i++) a.transport.sendRaft(two, [heartbeat(i)]);
      await b.log.find(hasRound(499));
      // Deep equality also sees whether the bytes are plain: a Buffer's `slice` would be a view.
      assert.deepEqual(received(b.log).slice(0, 3), messages);
      assert.deepEqual(
        rounds(b.log).slice(3),
        Array.from({ length: 490 }, (_, i) => i + 10),
      );
      assert.ok(b.log.events.every((event) => event[0] === 'raft' && event[1] === one));
      await close();
    });

    test('a message of many megabytes arrives, and heartbeats beside it', async () => {
      const { a, b, close } = await pair();
      const data = new Uint8Array(9_000_001).fill(7);
      data[9_000_000] = 8;
      const snapshot: RaftMessage = {
        type: 'snapshot',
        from: 'one',
        to: 'two',
        term: 3,
        index: 5,
        snapshotTerm: 2,
        conf: simpleConf(['one', 'two']),
        bytes: data.length,
        offset: 0,
        sum: 0,
        data,
      };
      a.transport.sendRaft(two, [snapshot]);
      a.transport.sendRaft(two, [heartbeat(1)]);
      const event = await b.log.find((e) => e[0] === 'raft' && e[2].some((message) => message.type === 'snapshot'));
      await b.log.find(hasRound(1));
      const got = (event[2] as RaftMessage[]).find((message) => message.type === 'snapshot')!;
      assert.equal(Buffer.compare(got.data, data), 0);
      await close();
    });

    test('calls: answers, errors, and unknown peers', async () => {
      const { a, b, close } = await pair(async (from, method, body) => {
        if (method === 'fail') throw new Error('not \ud800 this way ✗\nsecond line');
        return Uint8Array.of(...body, from.length);
      });
      assert.deepEqual(await a.transport.call(two, 'echo', Uint8Array.of(1, 2), 5_000), Uint8Array.of(1, 2, 3));
      assert.deepEqual([...(await a.transport.call(two, 'echo', new Uint8Array(0), 5_000))], [3]);
      const failure = { name: 'PeerCallError', code: 'FAILED', message: /not . this way ✗/ };
      await assert.rejects(a.transport.call(two, 'fail', new Uint8Array(0), 5_000), failure);
      await assert.rejects(a.transport.call(nodeId('three'), 'echo', new Uint8Array(0), 5_000), {
        code: 'UNREACHABLE',
      });
      a.transport.sendRaft(nodeId('three'), messages);
      assert.deepEqual(
        b.log.events.map((event) => event[2]),
        ['echo', 'echo', 'fail'],
      );
      await close();
    });

    test('a call that is not answered ends at its deadline', async () => {
      const { a, b, close } = await pair(() => new Promise(() => {}));
      const call = assert.rejects(a.transport.call(two, 'echo', new Uint8Array(0), 100), { code: 'DEADLINE' });
      await b.log.count(1);
      await harness.pass(100);
      await call;
      await close();
    });

    test('nobody listens: calls are refused at once', async () => {
      const gone = peer({ nodeId: two });
      const address = await gone.listening;
      await gone.transport.close();
      const a = peer({ nodeId: one });
      await a.listening;
      a.transport.setPeers(new Map([[two, address]]));
      await assert.rejects(a.transport.call(two, 'echo', new Uint8Array(0), 60_000), { code: 'UNREACHABLE' });
      await a.transport.close();
    });

    test('tryConnect: who listens accepts, whoever it is; an address without a listener is refused', async () => {
      const { a, b, close } = await pair();
      const address = await b.listening;
      assert.equal(await a.transport.tryConnect(address, 5_000), 'accepted');
      const stranger = peer({ nodeId: two, clusterId: 'other' });
      assert.equal(await a.transport.tryConnect(await stranger.listening, 5_000), 'accepted');
      await b.transport.close();
      assert.equal(await a.transport.tryConnect(address, 5_000), 'refused');
      assert.deepEqual(received(b.log), []);
      await Promise.all([close(), stranger.transport.close()]);
    });

    const strangers: readonly { what: string; options: { nodeId: NodeId; clusterId?: string } }[] = [
      { what: 'another cluster', options: { nodeId: two, clusterId: 'other' } },
      { what: 'another node', options: { nodeId: nodeId('three') } },
    ];
    for (const { what, options } of strangers) {
      test(`${what} at the address hears nothing`, async () => {
        const a = peer({ nodeId: one });
        const stranger = peer(options);
        await a.listening;
        a.transport.setPeers(new Map([[two, await stranger.listening]]));
        a.transport.sendRaft(two, messages);
        await a.log.find(isUnreachable);
        const reason = options.clusterId === undefined ? /this is node three/ : /this is cluster other/;
        await assert.rejects(a.transport.call(two, 'echo', new Uint8Array(0), 5_000), {
          code: 'UNREACHABLE',
          message: reason,
        });
        await Promise.all([a.transport.close(), stranger.transport.close()]);
        assert.deepEqual(stranger.log.events, []);
      });
    }

    test('a peer that goes is hinted at, and one that comes back is found by itself', async () => {
      const { a, b } = await pair();
      await sendUntil(a.transport, b.log, 1);
      const address = await b.listening;
      await b.transport.close();
      a.transport.sendRaft(two, [heartbeat(2)]);
      await a.log.find(isUnreachable);
      const again = peer({ nodeId: two, address });
      assert.equal(await again.listening, address);
      await sendUntil(a.transport, again.log, 3);
      assert.ok(a.log.events.every(isUnreachable));
      await Promise.all([a.transport.close(), again.transport.close()]);
    });

    test('setPeers moves a peer to another address, and takes peers away', async () => {
      const { a, b } = await pair();
      await sendUntil(a.transport, b.log, 1);
      const moved = peer({ nodeId: two });
      a.transport.setPeers(new Map([[two, await moved.listening]]));
      await sendUntil(a.transport, moved.log, 2);
      a.transport.setPeers(new Map());
      a.transport.sendRaft(two, [heartbeat(3)]);
      await assert.rejects(a.transport.call(two, 'echo', new Uint8Array(0), 5_000), { code: 'UNREACHABLE' });
      await Promise.all([a.transport.close(), b.transport.close(), moved.transport.close()]);
      assert.ok(!b.log.events.some(hasRound(2)));
      assert.ok(!moved.log.events.some(hasRound(3)));
    });

    test('when too many wait for a peer, the oldest are dropped', async () => {
      const b = peer({ nodeId: two });
      const address = await b.listening;
      const a = peer({ nodeId: one, raftQueueCountMax: 10 });
      await a.listening;
      a.transport.setPeers(new Map([[two, address]]));
      for (let round = 1; round <= 100; round++) a.transport.sendRaft(two, [heartbeat(round)]);
      await b.log.find(hasRound(100));
      assert.deepEqual(
        rounds(b.log),
        Array.from({ length: 10 }, (_, i) => i + 91),
      );
      await Promise.all([a.transport.close(), b.transport.close()]);
    });

    test('an address that is taken is refused with ADDRESS_IN_USE', async () => {
      const a = peer({ nodeId: one });
      const address = await a.listening;
      const b = peer({ nodeId: two, address });
      await assert.rejects(b.listening, { code: 'ADDRESS_IN_USE', address });
      await Promise.all([a.transport.close(), b.transport.close()]);
    });

    test('close fails the calls under way, and nothing is heard after it', async () => {
      const { a, b } = await pair(() => new Promise(() => {}));
      const call = assert.rejects(a.transport.call(two, 'echo', new Uint8Array(0), 60_000), { code: 'UNREACHABLE' });
      await b.log.count(1);
      await a.transport.close();
      await call;
      b.transport.sendRaft(one, [heartbeat(1)]);
      a.transport.sendRaft(two, [heartbeat(2)]);
      await b.log.find(isUnreachable);
      await b.transport.close();
      assert.deepEqual(a.log.events, []);
    });
  });
}
