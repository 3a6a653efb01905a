import { assert } from '@holdfast/model';
import { WireError } from './errors.ts';

/**
 * A uint64 that arrived as a number: protobufjs rounds what lies beyond 2^53, so such a value is refused here instead of
 * being taken for its neighbour.
 */
export function arrivedInteger(value: unknown, field: string): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
    throw new WireError(`${field} is ${String(value)}, which is no integer from 0 to 2^53 - 1`);
  }
  return value;
}

/** Checks a number before it is sent: protobufjs would turn NaN into 0 and wrap what is negative. */
export function sentInteger(value: number, field: string): number {
  assert(Number.isSafeInteger(value) && value >= 0, `${field} to send is ${value}`);
  return value;
}

/** The same for a field of type uint32. */
export function sentUint32(value: number, field: string): number {
  assert(Number.isInteger(value) && value >= 0 && value <= 0xffffffff, `${field} to send is ${value}`);
  return value;
}
