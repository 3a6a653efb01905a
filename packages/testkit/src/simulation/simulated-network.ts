import { PeerCallError, type PeerHandlers, type PeerTransport } from '@holdfast/engine';
import { crc32c, type NodeId, nodeId, type Rng, randomBelow, randomRatio } from '@holdfast/model';
import { decodeMessage, encodeMessage, type RaftMessage } from '@holdfast/raft';
import type { Trace } from './trace.ts';
import type { VirtualProcess } from './virtual-process.ts';
import type { VirtualTime } from './virtual-time.ts';

/** What the network does for a while to what goes from some nodes to others; null is everybody. */
export interface Spell {
  readonly untilMs: number;
  readonly from: ReadonlySet<NodeId> | null;
  readonly to: ReadonlySet<NodeId> | null;
  /** Nothing gets through. */
  readonly isCut?: boolean;
  /** Nothing gets through before the end of the spell, then all of it. */
  readonly isClogged?: boolean;
  /** A wrong firewall: new connections are refused, whoever listens. What is connected stays so. */
  readonly isRefused?: boolean;
  /** No message of Raft gets through; calls and their answers do. */
  readonly isLogCut?: boolean;
  readonly lossRatio?: number;
  readonly duplicateRatio?: number;
  readonly reorderRatio?: number;
  readonly delayMsMin?: number;
  readonly delayMsMax?: number;
}

interface Weather {
  isCut: boolean;
  isRefused: boolean;
  isLogCut: boolean;
  cloggedUntilMs: number;
  lossRatio: number;
  duplicateRatio: number;
  reorderRatio: number;
  delayMsMin: number;
  delayMsMax: number;
}

export interface NetworkEvents {
  /** Before a message leaves. */
  onRaftSent(from: NodeId, message: RaftMessage): void;
  /** A call leaves. @returns what to call when its answer has come */
  onCallSent(from: NodeId, to: NodeId, method: string, body: Uint8Array): (answer: Uint8Array) => void;
}

/** One in so many batches of messages travels as bytes. */
const codecEvery = 4;

interface Endpoint {
  readonly id: NodeId;
  readonly process: VirtualProcess;
  readonly handlers: PeerHandlers;
}

/** Joins the control threads of all nodes, as bytes: delays, loss, copies, disorder, cuts and clogs by seeded chance. */
export class SimulatedNetwork {
  readonly #time: VirtualTime;
  readonly #rng: Rng;
  readonly #trace: Trace;
  readonly #events: NetworkEvents;
  readonly #listeners = new Map<string, Endpoint>();
  readonly #goneHosts = new Set<string>();
  readonly #lastAtMs = new Map<string, number>();
  #spells: Spell[] = [];
  #batches = 0;

  constructor(time: VirtualTime, rng: Rng, trace: Trace, events: NetworkEvents) {
    this.#time = time;
    this.#rng = rng;
    this.#trace = trace;
    this.#events = events;
  }

  begin(spell: Spell): void {
    this.#spells.push(spell);
  }

  heal(): void {
    this.#spells = [];
  }

  /** The process is gone: its host refuses who connects to its address, or is gone with it and says nothing. */
  close(address: string, isHostGone = false): void {
    this.#listeners.delete(address);
    if (isHostGone) this.#goneHosts.add(address);
  }

  isListening(address: string): boolean {
    return this.#listeners.has(address);
  }

  weather(from: NodeId, to: NodeId): Weather {
    const { nowMs } = this.#time;
    const weather: Weather = {
      isCut: false,
      isRefused: false,
      isLogCut: false,
      cloggedUntilMs: 0,
      lossRatio: 0,
      duplicateRatio: 0,
      reorderRatio: 0,
      delayMsMin: 0.3,
      delayMsMax: 2,
    };
    this.#spells = this.#spells.filter(({ untilMs }) => untilMs > nowMs);
    for (const spell of this.#spells) {
      if ((spell.from !== null && !spell.from.has(from)) || (spell.to !== null && !spell.to.has(to))) continue;
      if (spell.isCut) weather.isCut = true;
      if (spell.isRefused) weather.isRefused = true;
      if (spell.isLogCut) weather.isLogCut = true;
      if (spell.isClogged) weather.cloggedUntilMs = Math.max(weather.cloggedUntilMs, spell.untilMs);
      weather.lossRatio = Math.max(weather.lossRatio, spell.lossRatio ?? 0);
      weather.duplicateRatio = Math.max(weather.duplicateRatio, spell.duplicateRatio ?? 0);
      weather.reorderRatio = Math.max(weather.reorderRatio, spell.reorderRatio ?? 0);
      weather.delayMsMin = Math.max(weather.delayMsMin, spell.delayMsMin ?? 0);
      weather.delayMsMax = Math.max(weather.delayMsMax, spell.delayMsMax ?? 0, weather.delayMsMin);
    }
    return weather;
  }

  transport(id: NodeId, process: VirtualProcess, address: string): PeerTransport {
    const peers = new Map<NodeId, string>();
    let own: PeerHandlers | null = null;
    return {
      setPeers: (addresses) => {
        peers.clear();
        for (const [peer, peerAddress] of addresses) peers.set(peer, peerAddress);
      },
      sendRaft: (to, messages) => {
        for (const message of messages) this.#events.onRaftSent(id, message);
        const peerAddress = peers.get(to);
        if (peerAddress === undefined) return;
        const batch = this.#throughCodec(messages);
        const sent = this.#travel(
          id,
          to,
          (target) => {
            target.handlers.onRaft(id, batch());
          },
          peerAddress,
          'raft',
        );
        if (sent || randomBelow(this.#rng, 10) > 0) return;
        process.receive(50, 'unreachable', () => own?.onUnreachable(to));
      },
      call: (to, method, body, timeoutMs) =>
        this.#call({ id, process, to, address: peers.get(to), method, body, timeoutMs }),
      tryConnect: (target, timeoutMs) => this.#tryConnect(id, process, target, timeoutMs),
      listen: async (handlers) => {
        own = handlers;
        this.#listeners.set(address, { id, process, handlers });
        return address;
      },
      close: async () => {
        this.close(address);
      },
    };
  }

  /** As bytes now and then, else by reference, since nobody may change a message: the codec would cost most of the time. */
  #throughCodec(messages: readonly RaftMessage[]): () => readonly RaftMessage[] {
    for (const { type, term } of messages) {
      this.#trace.mixText(type);
      this.#trace.mix(term);
    }
    if (this.#batches++ % codecEvery > 0) return () => messages;
    const bytes = messages.map(encodeMessage);
    for (const each of bytes) this.#trace.mix(crc32c(each));
    return () => bytes.map(decodeMessage);
  }

  #call(call: {
    readonly id: NodeId;
    readonly process: VirtualProcess;
    readonly to: NodeId;
    readonly address: string | undefined;
    readonly method: string;
    readonly body: Uint8Array;
    readonly timeoutMs: number;
  }): Promise<Uint8Array> {
    const { id, process, to, address, method, body } = call;
    const onAnswer = this.#events.onCallSent(id, to, method, body);
    return new Promise((resolve, reject) => {
      const fail = (code: 'UNREACHABLE' | 'DEADLINE' | 'FAILED', text: string): void => {
        cancel();
        reject(new PeerCallError(code, text));
      };
      const cancel = process.setTimer(call.timeoutMs, () => fail('DEADLINE', `${to} took too long`));
      if (address === undefined) {
        process.receive(0, 'no address', () => fail('UNREACHABLE', `nobody knows where ${to} is`));
        return;
      }
      /** The answer travels back like anything else, to whoever lives then. */
      const goBack = (name: string, fn: () => void): void => {
        const weather = this.weather(to, id);
        const atMs = this.#arrival(weather, to, id);
        if (atMs !== null) process.receive(atMs - this.#time.nowMs, name, fn);
      };
      if (!this.#listeners.has(address) && !this.#goneHosts.has(address) && !this.weather(id, to).isCut) {
        goBack('refused', () => fail('UNREACHABLE', `${to} refused the connection`));
        return;
      }
      this.#travel(
        id,
        to,
        ({ handlers }) => {
          handlers.onCall(id, method, body).then(
            (answer) =>
              goBack('answer', () => {
                cancel();
                onAnswer(answer);
                resolve(answer);
              }),
            (error: unknown) => goBack('failed', () => fail('FAILED', String(error))),
          );
        },
        address,
        method,
      );
    });
  }

  /** The host answers, not the process: one that is paused has its listener all the same. */
  #tryConnect(
    id: NodeId,
    process: VirtualProcess,
    address: string,
    timeoutMs: number,
  ): Promise<'refused' | 'accepted' | 'unknown'> {
    const to = nodeId(address.split(':')[1] ?? '');
    return new Promise((resolve) => {
      const cancel = process.setTimer(timeoutMs, () => resolve('unknown'));
      const answer = (outcome: 'refused' | 'accepted', weather: Weather): void => {
        const atMs = this.#arrival(weather, to, id);
        if (atMs === null) return;
        process.receive(atMs - this.#time.nowMs, outcome, () => {
          cancel();
          resolve(outcome);
        });
      };
      const weather = this.weather(id, to);
      if (weather.isRefused) {
        answer('refused', { ...weather, isCut: false });
        return;
      }
      const atMs = this.#arrival(weather, id, to);
      if (atMs === null) return;
      this.#time.after(atMs - this.#time.nowMs, 'connect', () => {
        if (this.#goneHosts.has(address) || this.weather(id, to).isCut) return;
        answer(this.#listeners.has(address) ? 'accepted' : 'refused', this.weather(to, id));
      });
    });
  }

  /** @returns false when it was lost at once */
  #travel(from: NodeId, to: NodeId, arrive: (target: Endpoint) => void, address: string, name: string): boolean {
    const weather = this.weather(from, to);
    // Nobody is told: the sender knows no way, or what is sent ends nowhere.
    if (name === 'raft' && weather.isLogCut) return true;
    const copies = name === 'raft' && randomRatio(this.#rng) < weather.duplicateRatio ? 2 : 1;
    for (let i = 0; i < copies; i++) {
      const atMs = this.#arrival(weather, from, to);
      if (atMs === null) return false;
      const target = this.#listeners.get(address);
      if (target === undefined || target.id !== to) return false;
      target.process.receive(atMs - this.#time.nowMs, name, () => {
        // What is on its way when a cut begins is lost with it.
        const { isCut, isLogCut } = this.weather(from, to);
        if (this.#listeners.get(address) === target && !isCut && !(isLogCut && name === 'raft')) arrive(target);
      });
    }
    return true;
  }

  /** When something that leaves now arrives; null when it is lost. */
  #arrival(weather: Weather, from: NodeId, to: NodeId): number | null {
    if (weather.isCut || randomRatio(this.#rng) < weather.lossRatio) return null;
    const { delayMsMin, delayMsMax } = weather;
    const delayMs = delayMsMin + randomRatio(this.#rng) * (delayMsMax - delayMsMin);
    const atMs = Math.max(this.#time.nowMs, weather.cloggedUntilMs) + delayMs;
    if (randomRatio(this.#rng) < weather.reorderRatio) return atMs;
    const key = `${from}>${to}`;
    const inOrderMs = Math.max(atMs, (this.#lastAtMs.get(key) ?? 0) + 0.001);
    this.#lastAtMs.set(key, inOrderMs);
    return inOrderMs;
  }
}
