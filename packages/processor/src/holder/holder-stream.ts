import type { Frame, Return, StreamId } from '../frame.ts';
import type { RecordLimits } from '../limits.ts';
import { RefusedUnits } from './refused-units.ts';

/** A frame that was taken and is not settled: some of its records wait for claims. */
export interface Flight {
  readonly number: number;
  readonly bytes: number;
  waiting: number;
}

/** The holder's side of one stream (PROTOCOL.md 4). */
export class HolderStream {
  readonly id: StreamId;
  /** Number of the last frame that arrived. */
  received = 0;
  /** All frames up to this one are settled. */
  settled = 0;
  /** Bytes of the blocks of those that aren't: they are kept. */
  unsettledBytes = 0;
  /** The last durable report named this frame. */
  reported = 0;
  /** Refusals sent so far. */
  refusals = 0;
  /** Units that are refused until the sender shows that it saw the refusal with this number (4.3). */
  readonly refusedUnits = new RefusedUnits();
  /** Frames that name a table index this node has not reached yet. */
  readonly backlog: Frame[] = [];
  readonly flights: Flight[] = [];
  readonly returns: Return[] = [];
  ended = false;

  constructor(id: StreamId) {
    this.id = id;
  }

  /** @returns why the frame isn't taken; null: it counts as received */
  arrived({ number, block }: Frame, limits: RecordLimits): string | null {
    if (number !== this.received + 1) return `frame ${number} is out of sequence`;
    if (this.isOverdrawn(limits)) return `frame ${number} is far beyond what may be in flight`;
    this.received = number;
    this.unsettledBytes += block.length;
    return null;
  }

  /** Its sender has sent far more than it has credit for (4.4): it counts nothing, and would fill the memory. */
  isOverdrawn(limits: RecordLimits): boolean {
    const { from, to } = this.id;
    // This very shard's ingest keeps these frames whether they are taken or not.
    if (from.session === to.session && from.shard === to.shard) return false;
    return (
      this.received - this.settled >= limits.framesInFlightMax + limits.framesOverMax ||
      this.unsettledBytes >= limits.bytesInFlightMax + limits.bytesOverMax
    );
  }

  /** Queues a refusal of units of one frame. */
  refuse(frame: number, tableIndex: number, units: Uint32Array, number: number): void {
    this.returns.push({ kind: 'refused', number, frame, tableIndex, units });
  }

  /** Moves `settled` over frames with nothing waiting; queues one acknowledgement when it moved. */
  settle(): void {
    let done = 0;
    while (done < this.flights.length && this.flights[done]!.waiting === 0) {
      this.unsettledBytes -= this.flights[done++]!.bytes;
    }
    if (done === 0) return;
    this.settled = this.flights[done - 1]!.number;
    this.flights.splice(0, done);
    const last = this.returns.at(-1);
    if (last?.kind === 'applied') this.returns.pop();
    this.returns.push({ kind: 'applied', frame: this.settled });
  }
}
