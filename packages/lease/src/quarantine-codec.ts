import { ByteFormatError, type ByteReader, type ByteWriter, nodeId, topicId } from '@holdfast/model';
import { crashesKeptMax, partitionEndsMax, quarantinedUnitsMax, releasedUnitsMax } from './limits.ts';
import { type QuarantinedUnit, QuarantineRegistry } from './quarantine-registry.ts';
import type { PartitionEnd, UnitCrashed } from './records.ts';

export function encodeCrash(out: ByteWriter, crash: UnitCrashed): void {
  out.u32(crash.hi).u32(crash.lo).text(crash.topicId).varint(crash.partition).varint(crash.offset);
  out.text(crash.nodeId).varint(crash.counter);
}

export function decodeCrash(input: ByteReader): UnitCrashed {
  const unit = { hi: input.u32(), lo: input.u32() };
  const position = { topicId: topicId(input.text()), partition: input.varint(), offset: input.varint() };
  return { kind: 'unitCrashed', ...unit, ...position, nodeId: nodeId(input.text()), counter: input.varint() };
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

/** Part of the snapshot. */
export function encodeQuarantine(out: ByteWriter, { crashes, units }: QuarantineRegistry): void {
  out.varint(crashes.length);
  for (const crash of crashes) encodeCrash(out, crash);
  out.varint(units.length);
  for (const { hi, lo, before } of units) {
    out
      .u32(hi)
      .u32(lo)
      .u8(before === null ? 0 : 1);
    if (before !== null) encodeEnds(out, before);
  }
}

/** @throws ByteFormatError */
export function decodeQuarantine(input: ByteReader): QuarantineRegistry {
  const crashes: UnitCrashed[] = [];
  for (let count = countOf(input, crashesKeptMax, 'crashes'); count > 0; count--) crashes.push(decodeCrash(input));
  const units: QuarantinedUnit[] = [];
  const unitsMax = quarantinedUnitsMax + releasedUnitsMax;
  for (let count = countOf(input, unitsMax, 'quarantined units'); count > 0; count--) {
    const unit = { hi: input.u32(), lo: input.u32() };
    units.push({ ...unit, before: input.u8() === 0 ? null : decodeEnds(input) });
  }
  const registry = new QuarantineRegistry();
  registry.restore(crashes, units);
  return registry;
}

function countOf(input: ByteReader, max: number, what: string): number {
  const count = input.varint();
  if (count > max) throw new ByteFormatError(`${count} ${what} before byte ${input.position}`);
  return count;
}
