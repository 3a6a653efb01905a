import type { FrameCrashed, ProcessCrash } from '@holdfast/lease';
import { formatUnit } from '@holdfast/model';

/** A process that has ended, by the counter of its data folder. */
export interface EndedProcess {
  readonly node: string;
  readonly counter: number;
}

/** Each end of a process has one; a node that has lost its data folder uses its names once more. */
export const endName = ({ node, counter }: EndedProcess): string => `${node}#${counter}`;

interface LoggedEnd {
  readonly node: string;
  /** By record that is named: its unit. */
  readonly named: Map<string, string>;
  readonly frames: FrameCrashed[];
}

/**
 * What the log says of ends of processes: which records its shards were at, by name or somewhere in a frame. An end with a
 * unit that has come into quarantine for it is settled, with all that was noted of it (ADR 17).
 */
export class LoggedEnds {
  readonly #ends = new Map<string, LoggedEnd>();

  add(crash: ProcessCrash): void {
    const { nodeId: node, counter } = crash;
    const name = endName({ node, counter });
    let end = this.#ends.get(name);
    if (end === undefined) this.#ends.set(name, (end = { node, named: new Map(), frames: [] }));
    if (crash.kind === 'frameCrashed') end.frames.push(crash);
    else end.named.set(`${crash.partition}/${crash.offset}`, formatUnit(crash.hi, crash.lo));
  }

  /** The unit comes into quarantine: whatever one of its named records may have ended counts no more. */
  settle(unit: string): void {
    const explained = this.recordsOf(unit).flatMap((position) => [...this.endsAt(position)]);
    for (const name of explained) this.#ends.delete(name);
  }

  /** Units with a record that is named. */
  get units(): ReadonlySet<string> {
    return new Set([...this.#ends.values()].flatMap(({ named }) => [...named.values()]));
  }

  /** Those that are named. */
  recordsOf(unit: string): string[] {
    const ofUnit = ({ named }: LoggedEnd) => [...named].filter(([, each]) => each === unit);
    return [...new Set([...this.#ends.values()].flatMap((end) => ofUnit(end).map(([position]) => position)))];
  }

  /** Ends at which the record is named. */
  namedAt(position: string): string[] {
    return [...this.#ends].filter(([, { named }]) => named.has(position)).map(([name]) => name);
  }

  /** And those at which it lies in the frame of a shard. */
  endsAt(position: string): ReadonlySet<string> {
    const isAt = ({ named, frames }: LoggedEnd) =>
      named.has(position) || frames.some((frame) => holds(frame, position));
    return new Set([...this.#ends].filter(([, end]) => isAt(end)).map(([name]) => name));
  }

  /** One record is named, and nothing else was noted. */
  isOnlyNote(end: string): boolean {
    const { named, frames } = this.#ends.get(end)!;
    return named.size === 1 && frames.length === 0;
  }

  nodesOf(ends: readonly string[]): ReadonlySet<string> {
    return new Set(ends.map((name) => this.#ends.get(name)!.node));
  }
}

function holds({ partition, first, last }: FrameCrashed, position: string): boolean {
  const [at, offset] = position.split('/').map(Number) as [number, number];
  return partition === at && offset >= first && offset <= last;
}
