import { isIP } from 'node:net';
import { incarnationsPerStart, parseAddress, RateLimit, startsMissedMax } from '@holdfast/membership';
import type Swim from 'swim';
import type { SwimMemberData } from 'swim';
import { decodeEnvelope } from './envelope.ts';
import type { GossipStats } from './gossip-stats.ts';
import { messageTypes, type SwimMessage } from './messages.ts';

import { swimStates } from './swim-states.ts';

const incarnationLeapMax = startsMissedMax * incarnationsPerStart;

/** Full states asked of this node: enough for 128 nodes that start together, then 32 a second. */
const syncBurst = 128;
const syncPerSecond = 32;
/** Probes to relay: each holds a timer for a while. */
const relayBurst = 256;
const relayPerSecond = 256;

/** Lets messages into swim: what is bounded, plausible, and can't be used against others. */
export class Ingress {
  readonly #swim: Swim;
  readonly #stats: GossipStats;
  readonly #membersMax: number;
  readonly #dropOldestFaulty: () => boolean;
  readonly #syncs: RateLimit;
  readonly #relays: RateLimit;
  /** When set, this node is on its way out: what others say about it needs no answer. */
  leaving = false;

  constructor(swim: Swim, stats: GossipStats, membersMax: number, dropOldestFaulty: () => boolean, nowMs: number) {
    this.#swim = swim;
    this.#stats = stats;
    this.#membersMax = membersMax;
    this.#dropOldestFaulty = dropOldestFaulty;
    this.#syncs = new RateLimit(syncBurst, syncPerSecond, nowMs);
    this.#relays = new RateLimit(relayBurst, relayPerSecond, nowMs);
  }

  take(messages: readonly SwimMessage[], source: string, nowMs: number): void {
    const { local } = this.#swim.membership;
    const incarnationBefore = local.incarnation;
    // Updates first: a full state asked for in the same datagram then holds the refutation of what the asker believed.
    for (const message of messages) if (message.type === 'update') this.#takeClaim(message.data, source);
    for (const message of messages) if (message.type !== 'update') this.#takePrimary(message, source, nowMs);
    if (local.incarnation > incarnationBefore) this.#stats.refutations++;
    const accused = messages.some(
      ({ type, data }) =>
        type === 'update' &&
        data.host === local.host &&
        (data.state !== swimStates.alive || data.incarnation > incarnationBefore),
    );
    // swim tells its members only; an accuser from the other side of a cut is none yet.
    if (accused && !this.leaving) this.#tell(local.data(), source);
  }

  #takePrimary(message: Exclude<SwimMessage, { type: 'update' }>, source: string, nowMs: number): void {
    const { net, membership } = this.#swim;
    switch (message.type) {
      case 'ping': {
        net.emit('ping', message.data, source);
        // It thinks it is well, and we had given it up: it must hear of it, to refute.
        const faulty = membership.hostToFaulty[source];
        if (faulty !== undefined) this.#tell(faulty.data(), source);
        break;
      }
      case 'ack':
        this.#stats.acksReceived++;
        net.emit('ack', message.data, source);
        break;
      case 'pingreq':
        // Only for members: a relay for any address is a tool for scanning and reflection.
        if (membership.hostToMember[message.data.destination] === undefined) break;
        if (this.#relays.take(nowMs)) net.emit('pingreq', message.data, source);
        else this.#stats.refusedRate++;
        break;
      case 'sync':
        this.#takeSync(message.data, source, nowMs);
    }
  }

  /** swim answers to the address in the payload, so anybody could have full states sent to anybody. */
  #takeSync(data: SwimMemberData, source: string, nowMs: number): void {
    if (!this.#syncs.take(nowMs)) {
      this.#stats.refusedRate++;
      return;
    }
    this.#takeClaim({ ...data, state: swimStates.alive }, source);
    const { net, membership } = this.#swim;
    const known = membership.all(true, true).map((member) => ({ type: messageTypes.update, data: member }));
    net.sendMessages(known, source);
  }

  #takeClaim(data: SwimMemberData, source: string): void {
    const { net, membership } = this.#swim;
    const self = data.host === membership.local.host;
    if (self && this.leaving) return;
    const known = self ? membership.local : (membership.hostToMember[data.host] ?? membership.hostToFaulty[data.host]);
    const leap = data.incarnation - (known?.incarnation ?? data.incarnation);
    const host = known === undefined ? parseAddress(data.host)?.host : data.host;
    const isAddress = known !== undefined || (host !== undefined && isIP(host) !== 0);
    if (leap > incarnationLeapMax || !isAddress || decodeEnvelope(data.meta) === null) {
      this.#stats.refusedClaims++;
      return;
    }
    if (known === undefined && !this.#makeRoom(data)) {
      this.#stats.refusedTableFull++;
      return;
    }
    net.emit('update', data, source);
  }

  #makeRoom(data: SwimMemberData): boolean {
    const { hostToMember, hostToFaulty } = this.#swim.membership;
    // swim takes no notice of faulty members it never knew.
    if (data.state === swimStates.faulty) return true;
    const count = Object.keys(hostToMember).length + Object.keys(hostToFaulty).length + 1;
    return count < this.#membersMax || this.#dropOldestFaulty();
  }

  #tell(data: SwimMemberData, host: string): void {
    this.#swim.net.sendMessages([{ type: messageTypes.update, data }], host);
  }
}
