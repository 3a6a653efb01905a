import { ByteReader, ByteWriter } from '@holdfast/model';
import type { Timers } from '../ports/timers.ts';
import type { ShardMove } from '../shard-messages.ts';
import { decodeUnits, encodeUnits, type ShardUnits, type UnitsRequest } from './calls.ts';
import { UnitsBatch } from './units-batch.ts';

/** A shard of a session. */
export interface ShardName {
  readonly session: number;
  readonly shard: number;
}

/** Units, closed and backed up, whose lease is to go from shards of one session to one other shard. */
export interface MoveRequest extends UnitsRequest {
  readonly to: ShardName;
}

export function encodeMove({ to, ...units }: MoveRequest): Uint8Array {
  return new ByteWriter(64).varint(to.session).varint(to.shard).bytes(encodeUnits(units)).finish();
}

/** @throws ByteFormatError */
export function decodeMove(bytes: Uint8Array): MoveRequest {
  const reader = new ByteReader(bytes);
  const to = { session: reader.varint(), shard: reader.varint() };
  return { to, ...decodeUnits(reader.bytes()) };
}

/** From the leader to the node of a holder: what one of its shards shall hand over, at its own choice or by name. */
export interface HandOverRequest extends ShardName {
  /** In place of what is left of the last plan. */
  readonly plan?: readonly ShardMove[];
  readonly unit?: { readonly hi: number; readonly lo: number; readonly to: ShardName };
}

/** Gathers the moves that the shards of this node ask for into few calls, each with one target. */
export class MoveBatches {
  readonly #timers: Timers;
  readonly #send: (to: ShardName, batch: readonly ShardUnits[]) => Promise<unknown>;
  readonly #batches = new Map<string, UnitsBatch>();

  constructor(timers: Timers, send: (to: ShardName, batch: readonly ShardUnits[]) => Promise<unknown>) {
    this.#timers = timers;
    this.#send = send;
  }

  add(to: ShardName, shard: number, units: Uint32Array): void {
    const key = `${to.session}/${to.shard}`;
    let batch = this.#batches.get(key);
    if (batch === undefined) {
      batch = new UnitsBatch(this.#timers, 4, (shards) => this.#send(to, shards));
      this.#batches.set(key, batch);
    }
    batch.add(shard, units);
  }

  clear(): void {
    for (const batch of this.#batches.values()) batch.clear();
    this.#batches.clear();
  }
}
