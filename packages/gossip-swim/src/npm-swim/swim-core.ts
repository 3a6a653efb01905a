import { randomInt } from 'node:crypto';
import Swim, { type SwimMemberData } from 'swim';
import { encodePayload } from './messages.ts';
import type { CompiledSwimGossipOptions } from './options.ts';
import { swimStates } from './swim-states.ts';

export interface SwimCoreHooks {
  /** Whether a verdict about another member, reached by this node's own probes now, may be believed. */
  isTrusted(): boolean;
  onDistrusted(): void;
  send(body: Uint8Array, host: string): void;
}

/**
 * An instance of npm `swim` 0.6.0 without its socket and codec, and with its faults mended from outside. Each mend names
 * the failure it prevents.
 */
export function createSwim(
  options: CompiledSwimGossipOptions,
  local: { host: string; meta: string; incarnation: number },
  bodyBytesMax: number,
  hooks: SwimCoreHooks,
): Swim {
  const swim = new Swim({
    codec: 'json',
    local,
    interval: options.intervalMs,
    pingTimeout: options.pingTimeoutMs,
    pingReqTimeout: options.pingReqTimeoutMs,
    pingReqGroupSize: options.pingReqGroupSize,
    suspectTimeout: options.suspectTimeoutMs,
    // Without it, a rumour about an earlier life of this node would overwrite what the node says about itself.
    preferCurrentMeta: true,
    udp: { type: 'udp4', maxDgramSize: bodyBytesMax },
  });
  swim.codec = {
    encode: encodePayload,
    decode: () => {
      throw new Error('datagrams are parsed before they reach swim');
    },
  };
  replaceTransport(swim, hooks);
  mendDetection(swim, hooks);
  // Thrown by an EventEmitter without a listener; nothing here emits it once the transport is replaced.
  swim.on('error', (error) => {
    throw error;
  });
  return swim;
}

/**
 * swim binds every interface, turns a bind error into an uncaught one, parses what comes from outside without checks
 * (a ping of `null` ends the process), and adds its news to answers to anybody.
 */
function replaceTransport(swim: Swim, hooks: SwimCoreHooks): void {
  const { net, membership } = swim;
  net.udpSocket.close();
  net.listen = (callback) => callback();
  net.close = () => {};
  net.sendBuffer = (buffer, host) => hooks.send(buffer, host);
  const withNews = net.piggybackAndSend;
  net.piggybackAndSend = (buffer, host) => {
    // A stranger, or a forged source, gets an answer no larger than its question.
    if (membership.hostToMember[host] === undefined) hooks.send(buffer, host);
    else withNews.call(net, buffer, host);
  };
}

function mendDetection(swim: Swim, hooks: SwimCoreHooks): void {
  const { membership } = swim;
  // Acks are matched by sequence alone: starting at random, a datagram meant for an earlier process on this port, or
  // sent blindly, doesn't answer a probe.
  swim.failureDetector.seq = randomInt(2 ** 40);
  const suspect = membership.onSuspect.bind(membership);
  membership.suspectListener = (probed) => {
    // The probe list may hold an outdated object of this member: its old incarnation would arm a timer that does nothing.
    const member = membership.hostToMember[probed.host];
    if (member === undefined) return;
    // Each further failed probe would start the time to refute anew; with probes more often than that, nobody ever dies.
    if (membership.hostToSuspectTimeout[probed.host] !== undefined) return;
    if (hooks.isTrusted()) suspect(member);
    else hooks.onDistrusted();
  };
  const update = membership.onUpdate.bind(membership);
  // Called on the instance for this node's own verdicts only; what is heard goes through a listener bound earlier.
  membership.onUpdate = (data: SwimMemberData) => {
    // Time to refute that passed while this process stood still was no time to refute. The next failed probe begins anew.
    if (data.state === swimStates.alive || hooks.isTrusted()) update(data);
    else hooks.onDistrusted();
  };
}
