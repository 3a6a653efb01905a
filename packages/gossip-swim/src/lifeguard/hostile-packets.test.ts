import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  encodePacket,
  incarnationOfStart,
  type MemberClaim,
  type SwimMessage,
  startsMissedMax,
} from '@holdfast/membership';
import { type Clock, nodeId, randomBelow, SeededRng, silentLogger } from '@holdfast/model';
import { DatagramFramer, datagramFormats } from '../datagram.ts';
import { metaOf } from '../npm-swim/test-cluster.test.ts';
import { type DatagramSeal, nullSeal } from '../seal/datagram-seal.ts';
import { KeyRing } from '../seal/key-ring.ts';
import { SealedDatagrams } from '../seal/sealed-datagrams.ts';
import { fastTimes } from './fast-times.test.ts';
import { LifeguardGossip } from './lifeguard-gossip.ts';

const clock: Clock = { monotonicMs: () => performance.now(), wallUnixMs: () => Date.now() };
const secret = new Uint8Array(32).fill(9);
const framer = new DatagramFramer(datagramFormats.lifeguard, 'test', nullSeal, 1400);

/** A node, and a stranger's socket that speaks to it. */
class Attack {
  readonly target: LifeguardGossip;
  readonly #socket: Socket = createSocket('udp4');
  readonly replies: Buffer[] = [];

  constructor(target: LifeguardGossip) {
    this.target = target;
    this.#socket.on('message', (bytes) => this.replies.push(bytes));
  }

  static async begin(t: TestContext, more: { membersMax?: number; seal?: DatagramSeal } = {}): Promise<Attack> {
    const options = { id: nodeId('a'), meta: metaOf('a'), clusterName: 'test', port: 0, ...fastTimes, ...more };
    const attack = new Attack(new LifeguardGossip(options, { clock, rng: new SeededRng(1), logger: silentLogger }));
    t.after(() => attack.#socket.close());
    t.after(() => attack.target.stop());
    await attack.target.start();
    attack.#socket.bind(0, '127.0.0.1');
    await once(attack.#socket, 'listening');
    return attack;
  }

  async send(bytes: Uint8Array): Promise<void> {
    const before = this.target.stats.datagramsReceived;
    this.#socket.send(bytes, Number(this.target.address!.split(':')[1]), '127.0.0.1');
    while (this.target.stats.datagramsReceived === before) await sleep(1);
  }

  say(message: SwimMessage, claims: readonly MemberClaim[] = [], from = 'z'): Promise<void> {
    const news = claims.map((claim) => ({ claim, ageMs: 0, accusers: [] }));
    return this.send(framer.wrap(encodePacket({ from: nodeId(from), message, news })));
  }

  get ids(): string[] {
    return this.target.members().map((one) => one.id);
  }
}

function claimOf(name: string, incarnation = incarnationOfStart(1), more: Partial<MemberClaim> = {}): MemberClaim {
  const gossipAddress = `127.0.0.1:${1000 + name.charCodeAt(0)}`;
  return { id: nodeId(name), incarnation, state: 'alive', gossipAddress, meta: metaOf(name), ...more };
}

describe('hostile packets', () => {
  it('under a key, nothing but what was sealed with it changes anything (I22)', async (t) => {
    const seal = new SealedDatagrams(new KeyRing([secret]), 'test', { id: nodeId('a'), ...metaOf('a') });
    const attack = await Attack.begin(t, { seal });
    const stranger = new SealedDatagrams(new KeyRing([new Uint8Array(32)]), 'test', {
      id: nodeId('z'),
      ...metaOf('z'),
    });
    await attack.say({ type: 'pull', digest: 1, back: false }, [claimOf('b')]);
    await attack.send(
      stranger.seal(
        framer.wrap(
          encodePacket({ from: nodeId('z'), message: { type: 'ping', seq: 1, target: nodeId('a') }, news: [] }),
        ),
      ),
    );
    const rng = new SeededRng(3);
    for (let i = 0; i < 200; i++) {
      const noise = Uint8Array.from({ length: 1 + randomBelow(rng, 300) }, () => randomBelow(rng, 256));
      if (i % 2 === 0) noise[0] = 0xa7;
      await attack.send(noise);
    }
    await attack.send(new Uint8Array(9000));
    assert.equal(attack.target.stats.refusedUnsealed, 202);
    assert.equal(attack.target.stats.refusedOversized, 1);
    assert.deepEqual(attack.ids, ['a']);
    await sleep(50);
    assert.deepEqual(attack.replies, []);
  });

  it('survives noise in its own format', async (t) => {
    const attack = await Attack.begin(t);
    const rng = new SeededRng(7);
    const good = encodePacket({
      from: nodeId('z'),
      message: { type: 'news' },
      news: [{ claim: claimOf('b'), ageMs: 0, accusers: [] }],
    });
    for (let i = 0; i < 300; i++) {
      const noise = Uint8Array.from({ length: randomBelow(rng, 200) }, () => randomBelow(rng, 256));
      await attack.send(
        framer.wrap(i % 2 === 0 ? Uint8Array.of(1, ...noise) : good.subarray(0, 1 + (i % (good.length - 1)))),
      );
    }
    assert.deepEqual(attack.ids, ['a']);
  });

  it('gives a stranger no more than an ack for a ping, and none for a ping that was meant for another', async (t) => {
    const attack = await Attack.begin(t);
    await attack.say({ type: 'news' }, [claimOf('b')]);
    await attack.say({ type: 'ping', seq: 4, target: nodeId('q') });
    await attack.say({ type: 'ping', seq: 5, target: nodeId('a') });
    while (attack.replies.length === 0) await sleep(1);
    assert.equal(attack.replies.length, 1);
    assert.ok(attack.replies[0]!.length < 20, `${attack.replies[0]!.length} bytes`);
  });

  it('bounds its table, and believes no leap of an incarnation', async (t) => {
    const attack = await Attack.begin(t, { membersMax: 4 });
    for (const name of ['b', 'c', 'd', 'e', 'f']) await attack.say({ type: 'news' }, [claimOf(name)]);
    assert.deepEqual(attack.ids, ['a', 'b', 'c', 'd']);
    assert.ok(attack.target.stats.refusedTableFull >= 2);
    const before = attack.target.stats.refusedClaims;
    await attack.say({ type: 'news' }, [claimOf('b', incarnationOfStart(startsMissedMax + 2))]);
    // Below what its own start counter allows.
    await attack.say({ type: 'news' }, [claimOf('b', 1)]);
    assert.equal(attack.target.stats.refusedClaims, before + 2);
  });

  it('refutes an accusation with an incarnation above it, at once and to the accuser (I19)', async (t) => {
    const attack = await Attack.begin(t);
    const self = attack.target.members()[0]!;
    await attack.say({ type: 'news' }, [{ ...self, incarnation: self.incarnation + 5, state: 'dead' }]);
    const now = attack.target.members()[0]!;
    assert.deepEqual([now.state, now.incarnation], ['alive', self.incarnation + 6]);
    while (attack.replies.length === 0) await sleep(1);
  });

  it('answers full states at a bounded rate', async (t) => {
    const attack = await Attack.begin(t);
    for (let i = 0; i < 200; i++) await attack.say({ type: 'pull', digest: 1, back: true });
    assert.ok(attack.target.stats.refusedRate > 0);
  });
});
