import type { FrameReceiver, FrameReceiverEvents, RecordTransport } from '@holdfast/engine';
import { type NodeId, type Rng, randomBelow, type ShardRef } from '@holdfast/model';
import type { Return, StreamId } from '@holdfast/processor';
import type { SimulatedNetwork } from '../simulation/simulated-network.ts';
import { VirtualProcess } from '../simulation/virtual-process.ts';
import type { VirtualTime } from '../simulation/virtual-time.ts';
import type { StreamFlights } from './checkers/stream-flights.ts';
import { SimulatedStream } from './simulated-stream.ts';
import type { Passage } from './stream-pipe.ts';

interface Listener {
  readonly nodeId: NodeId;
  readonly thread: VirtualProcess;
  readonly localShard: () => ShardRef | null;
  readonly onOpen: (stream: StreamId, receiver: FrameReceiver) => FrameReceiverEvents;
}

/** How often each stream looks for a sign of life of its other end. */
const beatMs = 1_000;
const sameMachine: Passage = { isCut: false, cloggedUntilMs: 0, lossRatio: 0, delayMsMin: 0.05, delayMsMax: 0.3 };

/** All streams between shards, over the same network as what control threads say to each other. */
export class RecordStreams {
  readonly #time: VirtualTime;
  readonly #rng: Rng;
  readonly #network: SimulatedNetwork;
  readonly #report: (text: string) => void;
  readonly #highWaterBytes: number;
  readonly #onReturn: (from: ShardRef, message: Return) => void;
  readonly #flights: StreamFlights;
  readonly #listeners = new Map<string, Listener>();
  #streams: SimulatedStream[] = [];
  /** Who listens where nobody does. */
  readonly #nobody: VirtualProcess;
  opened = 0;

  constructor(settings: {
    readonly time: VirtualTime;
    readonly rng: Rng;
    readonly network: SimulatedNetwork;
    readonly highWaterBytes: number;
    readonly report: (text: string) => void;
    readonly onReturn: (from: ShardRef, message: Return) => void;
    readonly flights: StreamFlights;
  }) {
    this.#time = settings.time;
    this.#rng = settings.rng;
    this.#network = settings.network;
    this.#highWaterBytes = settings.highWaterBytes;
    this.#report = settings.report;
    this.#onReturn = settings.onReturn;
    this.#flights = settings.flights;
    this.#nobody = new VirtualProcess('nobody', settings.time, 1, 0);
    this.#nobody.die();
    this.#beat();
  }

  transport(
    nodeId: NodeId,
    thread: VirtualProcess,
    address: string,
    localShard: Listener['localShard'],
  ): RecordTransport {
    return {
      open: (id, to, events) => {
        this.opened++;
        const listener = this.#listeners.get(to);
        const target = listener ?? { nodeId, thread: this.#nobody };
        const stream = new SimulatedStream(
          {
            time: this.#time,
            rng: this.#rng,
            id,
            from: { nodeId, thread },
            to: target,
            passage: (a, b) => this.#passage(a as NodeId, b as NodeId),
            highWaterBytes: this.#highWaterBytes,
            accept: (stream, receiver) => accept(listener!, stream, receiver),
            onReturn: (message) => this.#onReturn(id.to, message),
            report: this.#report,
            flight: this.#flights.newStream(),
          },
          events,
        );
        this.#streams.push(stream);
        if (listener === undefined) stream.sever('connection refused');
        return stream;
      },
      listen: async (onOpen) => {
        this.#listeners.set(address, { nodeId, thread, localShard, onOpen });
        return address;
      },
      close: async () => this.vanish(address, thread),
    };
  }

  /** The thread behind an address is gone. @param isSilent nobody hears of it: its machine is gone too */
  vanish(address: string, thread: VirtualProcess, isSilent = false): void {
    this.#listeners.delete(address);
    for (const stream of this.#streams) {
      const { from, to } = stream.settings;
      if (from.thread !== thread && to.thread !== thread) continue;
      const { isCut } = this.#passage(from.nodeId as NodeId, to.nodeId as NodeId);
      stream.endVanished(!isSilent && !isCut);
    }
  }

  /** A stream that both ends use; null when there is none. */
  pick(): SimulatedStream | null {
    const live = this.#streams.filter(({ sender, receiver }) => sender.live !== null && receiver.live !== null);
    return live[randomBelow(this.#rng, Math.max(1, live.length))] ?? null;
  }

  heal(): void {
    for (const stream of this.#streams) stream.stall(0);
  }

  #passage(from: NodeId, to: NodeId): Passage {
    return from === to ? sameMachine : this.#network.weather(from, to);
  }

  #beat(): void {
    this.#time.schedule(beatMs, null, 'quiet', 'streams', () => {
      this.#beat();
      const { nowMs } = this.#time;
      this.#streams = this.#streams.filter(({ isOver }) => !isOver);
      for (const stream of this.#streams) {
        const { from, to } = stream.settings;
        const isSilent =
          [from, to].some(({ thread }) => !thread.isAlive || thread.isPaused) ||
          this.#passage(from.nodeId as NodeId, to.nodeId as NodeId).isCut ||
          this.#passage(to.nodeId as NodeId, from.nodeId as NodeId).isCut;
        if (!isSilent) stream.silentSinceMs = null;
        else if (stream.silentSinceMs === null) stream.silentSinceMs = nowMs;
        else if (nowMs - stream.silentSinceMs > stream.noticeMs) stream.sever('no sign of life', true);
      }
    });
  }
}

function accept(listener: Listener, id: StreamId, receiver: FrameReceiver): FrameReceiverEvents | string {
  const local = listener.localShard();
  if (local === null) return 'UNAVAILABLE: no session yet';
  if (local.session !== id.to.session || local.shard !== id.to.shard) return 'FAILED_PRECONDITION: another shard';
  return listener.onOpen(id, receiver);
}
