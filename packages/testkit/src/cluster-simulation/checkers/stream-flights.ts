import type { Frame, RecordLimits, Return } from '@holdfast/processor';
import type { Report } from '../../simulation/checkers/report.ts';

interface FlyingFrame {
  readonly number: number;
  readonly partition: number;
  readonly bytes: number;
}

/**
 * I21: no record joins a stream that has as many frames in flight, or bytes of them, as it may. By what passes the
 * transport: frames sent, of which the sender hasn't heard that they are applied.
 */
export class StreamFlights {
  readonly #report: Report;
  readonly #limits: RecordLimits;
  /** How often each limit was met. */
  readonly met = { framesInFlight: 0, bytesInFlight: 0 };

  constructor(report: Report, limits: RecordLimits) {
    this.#report = report;
    this.#limits = limits;
  }

  newStream(): StreamFlight {
    return new StreamFlight((frames, bytes) => this.#look(frames, bytes));
  }

  #look(frames: readonly FlyingFrame[], bytes: number): void {
    const { framesInFlightMax, bytesInFlightMax } = this.#limits;
    const isFull = frames.length >= framesInFlightMax;
    if (isFull) this.met.framesInFlight++;
    if (bytes >= bytesInFlightMax) this.met.bytesInFlight++;
    else if (!isFull) return;
    // Of these the one that was begun last found room. When it was, each partition had one at most that was not sent
    // off yet, and its own partition one that its first record sent off.
    const largest = new Map<number, [number, number]>();
    for (const { partition, bytes } of frames) {
      const [first, second] = largest.get(partition) ?? [0, 0];
      largest.set(partition, [Math.max(first, bytes), Math.max(second, Math.min(first, bytes))]);
    }
    const firsts = [...largest.values()].reduce((sum, [first]) => sum + first, 0);
    const second = Math.max(...[...largest.values()].map(([, second]) => second));
    const count = frames.length - largest.size - 1;
    if (count >= framesInFlightMax)
      this.#report(`I21: ${frames.length} frames are in flight on a stream, the limit is ${framesInFlightMax}`);
    if (bytes - firsts - second >= bytesInFlightMax)
      this.#report(`I21: ${bytes} bytes are in flight on a stream, the limit is ${bytesInFlightMax}`);
  }
}

/** What is in flight on one stream. */
export class StreamFlight {
  readonly #look: (frames: readonly FlyingFrame[], bytes: number) => void;
  readonly #frames: FlyingFrame[] = [];
  #bytes = 0;

  constructor(look: (frames: readonly FlyingFrame[], bytes: number) => void) {
    this.#look = look;
  }

  sent({ number, partition, block }: Pick<Frame, 'number' | 'partition' | 'block'>): void {
    this.#frames.push({ number, partition: partition.partition, bytes: block.length });
    this.#bytes += block.length;
    this.#look(this.#frames, this.#bytes);
  }

  /** The sender hears it. */
  returned(message: Return): void {
    if (message.kind !== 'applied') return;
    let settled = 0;
    for (const { number, bytes } of this.#frames) {
      if (number > message.frame) break;
      this.#bytes -= bytes;
      settled++;
    }
    this.#frames.splice(0, settled);
  }
}
