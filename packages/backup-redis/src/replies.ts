import type { ClaimResult, Marker, RowResult } from '@holdfast/engine';
import type { Unit } from '@holdfast/model';
import { partitionOfField } from './bucket-keys.ts';
import { RedisStoreError } from './errors.ts';
import { decodeBackup } from './stored-backup.ts';

/** What the function answers to a call: null when the bucket lives another life, else what follows the 1. */
export function resultsOf(reply: unknown): readonly unknown[] | null {
  if (!Array.isArray(reply) || reply.length === 0) {
    throw new RedisStoreError('CORRUPT', `the store function answered ${typeof reply}`);
  }
  return reply[0] === 1 ? reply.slice(1) : null;
}

/** 0, -1, the epoch that fences the row, or, in a list, what is wrong with what is stored. */
export function rowResult(code: unknown): RowResult {
  if (code === 0) return { code: 'OK' };
  if (Array.isArray(code)) return { code: 'CORRUPT', problem: String(code[0]) };
  return code === -1 ? { code: 'STALE' } : { code: 'FENCED', epoch: Number(code) };
}

/** The row, the epoch that fences the claim, or, in a list, what is wrong with the row. */
export function claimResult(answer: unknown, unit: Unit, markers: readonly Marker[]): ClaimResult {
  if (Array.isArray(answer)) return { code: 'CORRUPT', problem: String(answer[0]), markers };
  if (!Buffer.isBuffer(answer)) return { code: 'FENCED', epoch: Number(answer) };
  try {
    return { code: 'OK', row: decodeBackup(answer, unit).row, markers };
  } catch (error) {
    // Its order can be read, so it has been claimed; what stands behind that can't.
    if (!(error instanceof RedisStoreError)) throw error;
    return { code: 'CORRUPT', problem: error.message, markers };
  }
}

/** Field and value, alternating. */
export function markersOf(fields: unknown): Marker[] {
  const list = fields as readonly Buffer[];
  const markers: Marker[] = [];
  for (let i = 0; i + 1 < list.length; i += 2) {
    markers.push({ partition: partitionOfField(list[i]!.toString()), offset: markerOffset(list[i + 1]!.toString()) });
  }
  return markers;
}

/** @throws RedisStoreError CORRUPT: a marker that is too high would lose records, one that is too low would count them twice */
export function markerOffset(text: string): number {
  const offset = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(offset)) return offset;
  throw new RedisStoreError('CORRUPT', `a stored marker is damaged: ${text.slice(0, 40)}`);
}
