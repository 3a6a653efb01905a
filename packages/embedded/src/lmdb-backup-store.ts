import { randomUUID } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import {
  type Adoption,
  adopted,
  type BackupStore,
  type Claim,
  type ClaimResult,
  type Mark,
  type Marker,
  type RowResult,
  type RowWrite,
  type StoreAnswer,
  type StoredRow,
} from '@holdfast/engine';
import { assert, bucketCount, bucketOf, type PartitionId, partitionKey, type Unit } from '@holdfast/model';
import { asBuffer, textKey } from './binary-keys.ts';
import { type Comparison, compareAndPut } from './compare-and-put.ts';
import { type EnvLimits, LmdbEnv, type Table, type TableSpecs } from './lmdb-env.ts';
import { decodeMarkers, encodeMarkers, raiseMarkers } from './stored-markers.ts';
import {
  encodeRow,
  isSound,
  problemOf,
  raiseRow,
  readHeader,
  readRow,
  rowKey,
  tryHeader,
  unitOfRowKey,
} from './stored-row.ts';

const tableSpecs: TableSpecs = { meta: { versions: true }, rows: { versions: true }, markers: { versions: true } };
const generationKey = textKey('generation');
const adoptionKey = textKey('adoption');
/** Rows read per step of a scan: no read transaction lives longer than a step. */
const scanRows = 512;

/**
 * The backup store in an LMDB environment that several processes share (PROTOCOL.md 5). Its generation is a random id
 * made with the environment: a lost or replaced folder is another life. Failures reject with `EmbeddedError`.
 */
export class LmdbBackupStore implements BackupStore {
  readonly #env: LmdbEnv;
  readonly #rows: Table;
  readonly #markers: Table;
  readonly #generationId: string;

  private constructor(env: LmdbEnv, generationId: string) {
    this.#env = env;
    this.#rows = env.table('rows');
    this.#markers = env.table('markers');
    this.#generationId = generationId;
  }

  /** Opens or creates the store in the folder `path`. */
  static async open(path: string, limits: Partial<EnvLimits> = {}): Promise<LmdbBackupStore> {
    const env = await LmdbEnv.open(path, tableSpecs, limits);
    try {
      let generationId = '';
      const decide = (stored: Buffer | null): Uint8Array | null => {
        generationId = stored === null ? randomUUID() : stored.toString('utf8', 0, stored.length);
        return stored === null ? textKey(generationId) : null;
      };
      await compareAndPut(env, env.table('meta'), [{ key: generationKey, decide }]);
      return new LmdbBackupStore(env, generationId);
    } catch (error) {
      await env.close();
      throw error;
    }
  }

  /** Read each time: an environment that has failed answers nothing any more, and whoever asks is to know. */
  async generationId(): Promise<string> {
    this.#env.refresh();
    if (this.#env.table('meta').getBinary(generationKey) === undefined) throw new Error('the store has lost its id');
    return this.#generationId;
  }

  async adopt(generationId: string, current: string): Promise<StoreAnswer<boolean>> {
    if (generationId !== this.#generationId) return this.#otherGeneration();
    this.#env.refresh();
    const isEmpty = [this.#rows, this.#markers].every((table) => Array.from(table.getKeys({ limit: 1 })).length === 0);
    let continues = false;
    const decide = (stored: Buffer | null): Uint8Array | null => {
      const noted = stored === null ? null : (JSON.parse(stored.toString('utf8', 0, stored.length)) as Adoption);
      const answer = adopted(noted, generationId, current, isEmpty);
      continues = answer.continues;
      return answer.adoption === noted ? null : Buffer.from(JSON.stringify(answer.adoption));
    };
    await compareAndPut(this.#env, this.#env.table('meta'), [{ key: adoptionKey, decide }]);
    return { code: 'OK', results: [continues] };
  }

  /**
   * Raises first, then reads row and markers in one snapshot in which the raise is in force: the same as a claim
   * followed by its repetition, each of which is one step. What could not be raised counts as unreadable, though somebody
   * may have mended it meanwhile.
   */
  async claim(generationId: string, claims: readonly Claim[]): Promise<StoreAnswer<ClaimResult>> {
    if (generationId !== this.#generationId) return this.#otherGeneration();
    const isUnread = new Array<boolean>(claims.length);
    const raises = claims.map((claim, i): Comparison => {
      return {
        key: rowKey(claim),
        decide: (stored) => {
          isUnread[i] = false;
          if (stored === null) return encodeRow(claim.epoch, 0, 0, null);
          const header = tryHeader(stored);
          isUnread[i] = header === null;
          return header !== null && header.epoch < claim.epoch ? raiseRow(stored, header, claim.epoch) : null;
        },
      };
    });
    await compareAndPut(this.#env, this.#rows, raises);
    this.#env.refresh();
    const markersByBucket = new Map<number, readonly Marker[]>();
    const markersOf = (bucket: number): readonly Marker[] => {
      let markers = markersByBucket.get(bucket);
      if (markers === undefined) markersByBucket.set(bucket, (markers = this.#markersOf(bucket)));
      return markers;
    };
    const results = claims.map((claim, i): ClaimResult => {
      const stored = this.#rows.getBinary(rowKey(claim));
      const header = isUnread[i] || stored === undefined ? null : tryHeader(stored);
      if (header !== null && (header.epoch > claim.epoch || header.seq > 0))
        return { code: 'FENCED', epoch: header.epoch };
      const markers = markersOf(bucketOf(claim.hi, claim.lo));
      if (stored === undefined || header === null || !isSound(stored, header))
        return { code: 'CORRUPT', problem: problemOf(claim), markers };
      return { code: 'OK', row: readRow(stored, header, claim), markers };
    });
    return { code: 'OK', results };
  }

  async backup(generationId: string, rows: readonly RowWrite[]): Promise<StoreAnswer<RowResult>> {
    if (generationId !== this.#generationId) return this.#otherGeneration();
    const results = new Array<RowResult>(rows.length);
    const writes = rows.map((write, i): Comparison => {
      return {
        key: rowKey(write),
        decide: (stored) => {
          results[i] = { code: 'OK' };
          if (stored !== null) {
            const header = tryHeader(stored);
            if (header === null) {
              results[i] = { code: 'CORRUPT', problem: problemOf(write) };
              return null;
            }
            if (header.epoch > write.epoch) results[i] = { code: 'FENCED', epoch: header.epoch };
            else if (header.epoch === write.epoch && header.seq > write.seq) results[i] = { code: 'STALE' };
            const greater = header.epoch < write.epoch || (header.epoch === write.epoch && header.seq < write.seq);
            if (!greater) return null;
          }
          return encodeRow(write.epoch, write.seq, write.savedUnixMs, write.row);
        },
      };
    });
    await compareAndPut(this.#env, this.#rows, writes);
    return { code: 'OK', results };
  }

  async mark(generationId: string, marks: readonly Mark[]): Promise<StoreAnswer<'ok'>> {
    if (generationId !== this.#generationId) return this.#otherGeneration();
    const byBucket = new Map<number, Mark[]>();
    for (const mark of marks) {
      const bucket = byBucket.get(mark.bucket);
      if (bucket === undefined) byBucket.set(mark.bucket, [mark]);
      else bucket.push(mark);
    }
    const raises = [...byBucket].map(([bucket, more]): Comparison => {
      return {
        key: bucketKey(bucket),
        decide: (stored) => {
          const old = stored === null ? [] : decodeMarkers(stored.subarray(0, stored.length), bucket);
          const raised = raiseMarkers(old, more);
          return raised === null ? null : encodeMarkers(raised);
        },
      };
    });
    await compareAndPut(this.#env, this.#markers, raises);
    return { code: 'OK', results: marks.map(() => 'ok' as const) };
  }

  async leastMarker(generationId: string, partition: PartitionId): Promise<StoreAnswer<number>> {
    if (generationId !== this.#generationId) return this.#otherGeneration();
    this.#env.refresh();
    const wanted = partitionKey(partition);
    let least = Number.POSITIVE_INFINITY;
    for (let bucket = 0; bucket < bucketCount && least > 0; bucket++) {
      const marker = this.#markersOf(bucket).find((m) => partitionKey(m.partition) === wanted);
      least = Math.min(least, marker?.offset ?? 0);
    }
    return { code: 'OK', results: [least] };
  }

  async highestEpoch(): Promise<number> {
    let highest = 0;
    // Of a row that can't be read behind its header, the epoch counts all the same.
    for await (const [unit, stored] of this.#entries()) highest = Math.max(highest, readHeader(stored, unit).epoch);
    return highest;
  }

  async read(unit: Unit): Promise<StoredRow | null> {
    this.#env.refresh();
    const stored = this.#rows.getBinary(rowKey(unit));
    return stored === undefined ? null : storedRow(unit, stored);
  }

  /**
   * Takes away what is stored of a unit, if that can't be read; its epoch and seq stay where they can be.
   * @param isReadable whether the row's own format is known
   * @returns false when nothing is stored, or what is can be read: nothing was done
   */
  async discard(unit: Unit, isReadable: (row: Uint8Array) => boolean): Promise<boolean> {
    let isDiscarded = false;
    const decide = (stored: Buffer | null): Uint8Array | null => {
      const header = stored === null ? null : tryHeader(stored);
      const row = stored === null || header === null || !isSound(stored, header) ? null : readRow(stored, header, unit);
      const isGood = header !== null && (row !== null ? isReadable(row) : !header.hasRow);
      isDiscarded = stored !== null && !isGood;
      return isDiscarded ? encodeRow(header?.epoch ?? 0, header?.seq ?? 0, 0, null) : null;
    };
    await compareAndPut(this.#env, this.#rows, [{ key: rowKey(unit), decide }]);
    return isDiscarded;
  }

  async *scan(): AsyncIterable<StoredRow> {
    for await (const [unit, stored] of this.#entries()) yield storedRow(unit, stored);
  }

  async close(): Promise<void> {
    await this.#env.close();
  }

  /** All rows as they are stored. */
  async *#entries(): AsyncIterable<readonly [Unit, Buffer]> {
    let start = Buffer.from([0]);
    for (;;) {
      this.#env.refresh();
      const entries = Array.from(this.#rows.getRange({ start, limit: scanRows }));
      for (const { key, value } of entries) yield [unitOfRowKey(asBuffer(key as Uint8Array)), asBuffer(value)];
      if (entries.length < scanRows) return;
      // A scan of a large store is long: nobody else's turn waits for all of it.
      await setImmediate();
      start = Buffer.concat([entries[entries.length - 1]!.key as Uint8Array, Buffer.from([0])]);
    }
  }

  #markersOf(bucket: number): Marker[] {
    const stored = this.#markers.getBinary(bucketKey(bucket));
    return stored === undefined ? [] : decodeMarkers(stored, bucket);
  }

  #otherGeneration(): { readonly code: 'GENERATION'; readonly generationId: string } {
    return { code: 'GENERATION', generationId: this.#generationId };
  }
}

function bucketKey(bucket: number): Buffer {
  assert(
    Number.isInteger(bucket) && bucket >= 0 && bucket < bucketCount,
    `bucket ${bucket} is not one of ${bucketCount}`,
  );
  const key = Buffer.allocUnsafe(2);
  key.writeUInt16BE(bucket, 0);
  return key;
}

function storedRow(unit: Unit, stored: Buffer): StoredRow {
  const header = readHeader(stored, unit);
  const { epoch, seq, savedUnixMs } = header;
  return { hi: unit.hi, lo: unit.lo, epoch, seq, row: readRow(stored, header, unit), savedUnixMs };
}
