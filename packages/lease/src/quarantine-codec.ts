import { ByteFormatError, type ByteReader, type ByteWriter, nodeId, topicId } from '@holdfast/model';
import { crashesKeptMax, partitionEndsMax, quarantinedUnitsMax, releasedUnitsMax } from './limits.ts';
import { PartitionEnds } from './partition-ends.ts';
import type { QuarantinedUnit, QuarantineRegistry } from './quarantine-registry.ts';
import type { FrameCrashed, PartitionEnd, ProcessCrash, UnitCrashed } from './records.ts';

export function encodeCrash(out: ByteWriter, crash: UnitCrashed): void {
  out.u32(crash.hi).u32(crash.lo).text(crash.topicId).varint(crash.partition).varint(crash.offset);
  out.text(crash.nodeId).varint(crash.counter);
}

export function decodeCrash(input: ByteReader): UnitCrashed {
  const unit = { hi: input.u32(), lo: input.u32() };
  const position = { topicId: topicId(input.text()), partition: input.varint(), offset: input.varint() };
  return { kind: 'unitCrashed', ...unit, ...position, nodeId: nodeId(input.text()), counter: input.varint() };
}

export function encodeFrameCrash(out: ByteWriter, crash: FrameCrashed): void {
  out.text(crash.topicId).varint(crash.partition).varint(crash.first).varint(crash.last);
  out.text(crash.nodeId).varint(crash.counter);
}

export function decodeFrameCrash(input: ByteReader): FrameCrashed {
  const partition = { topicId: topicId(input.text()), partition: input.varint() };
  const range = { first: input.varint(), last: input.varint() };
  return { kind: 'frameCrashed', ...partition, ...range, nodeId: nodeId(input.text()), counter: input.varint() };
}

export function decodeFlag(input: ByteReader): boolean {
  const flag = input.u8();
  if (flag > 1) throw new ByteFormatError(`flag ${flag} before byte ${input.position}`);
  return flag === 1;
}

export function encodeEnds(out: ByteWriter, ends: readonly PartitionEnd[]): void {
  out.varint(ends.length);
  for (const end of ends) out.text(end.topicId).varint(end.partition).varint(end.offset);
}

export function decodeEnds(input: ByteReader): PartitionEnd[] {
  const ends: PartitionEnd[] = [];
  for (let count = countOf(input, partitionEndsMax, 'ends of partitions'); count > 0; count--) {
    ends.push({ topicId: topicId(input.text()), partition: input.varint(), offset: input.varint() });
  }
  return ends;
}

/** What the snapshot's head has: crashes, each behind 1 where it is of a frame, else 0, number of lists of ends, units with 0 or the number of theirs. */
export function encodeQuarantine(
  out: ByteWriter,
  { crashes, units }: QuarantineRegistry,
  lists: readonly PartitionEnds[],
): void {
  out.varint(crashes.length);
  for (const crash of crashes) {
    if (crash.kind === 'frameCrashed') encodeFrameCrash(out.u8(1), crash);
    else encodeCrash(out.u8(0), crash);
  }
  const numbers = new Map(lists.map((ends, i) => [ends, i + 1]));
  out.varint(lists.length).varint(units.length);
  for (const { hi, lo, before } of units)
    out
      .u32(hi)
      .u32(lo)
      .varint(before === null ? 0 : numbers.get(before)!);
}

/** Quarantine as a snapshot has it: the lists of ends may be still to come. */
export class QuarantineDecoder {
  readonly #crashes: ProcessCrash[] = [];
  readonly #units: { readonly hi: number; readonly lo: number; readonly number: number }[] = [];
  readonly #lists: PartitionEnds[] = [];
  /** Lists of ends that follow. */
  readonly listCount: number;

  /**
   * @param hasOwnEnds each released unit's ends are with it (format 4), else they follow
   * @param hasFrames crashes are of records or frames (from format 6 on)
   * @throws ByteFormatError
   */
  constructor(input: ByteReader, hasOwnEnds: boolean, hasFrames: boolean) {
    for (let count = countOf(input, crashesKeptMax, 'crashes'); count > 0; count--)
      this.#crashes.push(hasFrames && decodeFlag(input) ? decodeFrameCrash(input) : decodeCrash(input));
    this.listCount = hasOwnEnds ? 0 : countOf(input, releasedUnitsMax, 'lists of ends');
    const unitsMax = quarantinedUnitsMax + releasedUnitsMax;
    for (let count = countOf(input, unitsMax, 'quarantined units'); count > 0; count--) {
      const unit = { hi: input.u32(), lo: input.u32() };
      const number = hasOwnEnds
        ? this.#ownEnds(input)
        : countOf(input, this.listCount, 'as the number of a list of ends');
      this.#units.push({ ...unit, number });
    }
  }

  /** @throws ByteFormatError */
  addList(input: ByteReader): void {
    // A copy, since the whole snapshot would be kept with it (and not by slice, which on Node's Buffer copies nothing).
    this.#lists.push(PartitionEnds.from(new Uint8Array(input.bytes())));
  }

  /** Once all lists have come. */
  fill(registry: QuarantineRegistry): void {
    const endsOf = (number: number) => (number === 0 ? null : this.#lists[number - 1]!);
    const units = this.#units.map(({ hi, lo, number }): QuarantinedUnit => ({ hi, lo, before: endsOf(number) }));
    registry.restore(this.#crashes, units);
  }

  /** Equal ones have one number. */
  #ownEnds(input: ByteReader): number {
    if (input.u8() === 0) return 0;
    const ends = PartitionEnds.of(decodeEnds(input));
    const known = this.#lists.findIndex((other) => other.equals(ends));
    return known >= 0 ? known + 1 : this.#lists.push(ends);
  }
}

function countOf(input: ByteReader, max: number, what: string): number {
  const count = input.varint();
  if (count > max) throw new ByteFormatError(`${count} ${what} before byte ${input.position}`);
  return count;
}
