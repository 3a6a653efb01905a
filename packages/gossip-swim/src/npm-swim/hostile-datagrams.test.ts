import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { describe, it, type TestContext } from 'node:test';
import { incarnationOfStart, startsMissedMax } from '@holdfast/membership';
import { nodeId, randomBelow, SeededRng } from '@holdfast/model';
import { DatagramFramer, datagramFormats } from '../datagram.ts';
import { nullSeal } from '../seal/datagram-seal.ts';
import { encodeEnvelope } from './envelope.ts';
import { encodePayload, messageTypes } from './messages.ts';
import type { SwimGossip } from './swim-gossip.ts';
import { gossipOf, metaOf, until } from './test-cluster.test.ts';

const framer = new DatagramFramer(datagramFormats.npmSwim, 'test', nullSeal, 1400);

/** A node, and a stranger's socket that speaks to it. */
class Attack {
  readonly target: SwimGossip;
  readonly #socket: Socket = createSocket('udp4');
  readonly replies: Buffer[] = [];

  constructor(target: SwimGossip) {
    this.target = target;
    this.#socket.on('message', (bytes) => this.replies.push(bytes));
  }

  static async begin(t: TestContext, membersMax = 8): Promise<Attack> {
    const attack = new Attack(gossipOf('a', { membersMax }));
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
    await until(
      () => this.target.stats.datagramsReceived > before,
      2000,
      () => this.target.stats,
    );
  }

  sendMessage(type: number, data: unknown): Promise<void> {
    return this.send(framer.wrap(Buffer.concat([Buffer.from([type]), encodePayload(data)])));
  }

  claim(name: string, incarnation: number, state = 0, host = `127.0.0.1:${1000 + name.charCodeAt(0)}`) {
    const meta = encodeEnvelope({ id: nodeId(name), left: false, meta: metaOf(name) });
    return this.sendMessage(messageTypes.update, { host, state, incarnation, meta });
  }

  get ids(): string[] {
    return this.target.members().map((one) => one.id);
  }
}

describe('hostile datagrams', () => {
  it('survives noise, and changes nothing for it (I22)', async (t) => {
    const attack = await Attack.begin(t);
    const rng = new SeededRng(7);
    for (let i = 0; i < 300; i++) {
      const noise = Uint8Array.from({ length: randomBelow(rng, 200) }, () => randomBelow(rng, 256));
      await attack.send(i % 2 === 0 ? noise : framer.wrap(noise));
    }
    await attack.send(new Uint8Array(9000));
    assert.equal(attack.target.stats.refusedOversized, 1);
    assert.deepEqual(attack.ids, ['a']);
  });

  it('gives a stranger no more than an ack for a ping', async (t) => {
    const attack = await Attack.begin(t);
    await attack.claim('b', 1);
    await attack.sendMessage(messageTypes.ping, { seq: 5 });
    await until(
      () => attack.replies.length > 0,
      2000,
      () => attack.replies.length,
    );
    assert.ok(attack.replies[0]!.length < 16, `${attack.replies[0]!.length} bytes`);
  });

  it('bounds its table, and believes no leap of an incarnation, no name as an address', async (t) => {
    const attack = await Attack.begin(t, 4);
    for (const name of ['b', 'c', 'd', 'e', 'f']) await attack.claim(name, 1);
    assert.deepEqual(attack.ids, ['a', 'b', 'c', 'd']);
    assert.equal(attack.target.stats.refusedTableFull, 2);
    await attack.claim('b', incarnationOfStart(startsMissedMax + 2));
    await attack.claim('g', 1, 0, 'resolve.me.example:80');
    assert.equal(attack.target.stats.refusedClaims, 2);
  });

  it('refutes an accusation, with an incarnation above it (I19)', async (t) => {
    const attack = await Attack.begin(t);
    const before = attack.target.members()[0]!.incarnation;
    await attack.claim('a', before + 5, 2, attack.target.address!);
    const self = attack.target.members()[0]!;
    assert.deepEqual([self.state, self.incarnation], ['alive', before + 6]);
    await until(
      () => attack.replies.length > 0,
      2000,
      () => attack.replies.length,
    );
  });
});
