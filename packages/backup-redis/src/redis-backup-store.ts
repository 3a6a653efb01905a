import type {
  BackupStore,
  Claim,
  ClaimResult,
  Mark,
  RowResult,
  RowWrite,
  StoreAnswer,
  StoredRow,
} from '@holdfast/engine';
import {
  bucketCount,
  bucketOf,
  formatUnit,
  type Logger,
  type PartitionId,
  silentLogger,
  type Unit,
} from '@holdfast/model';
import {
  type BucketPart,
  backupBytes,
  batchByBucket,
  type CallLimits,
  type CallSequence,
  claimBytes,
  markBytes,
} from './bucket-batches.ts';
import { type BucketKeys, fieldOfPartition, keysOfBuckets, unitBytes, unitOfField, writeUnit } from './bucket-keys.ts';
import { BucketLives, type Lives } from './bucket-lives.ts';
import type { RedisClient } from './client.ts';
import { Deadline } from './deadline.ts';
import { eachBounded } from './each-bounded.ts';
import { RedisStoreError } from './errors.ts';
import { type OpenedServers, openServers } from './open-servers.ts';
import { type CompiledRedisOptions, compileRedisOptions, describeTopology, type RedisStoreOptions } from './options.ts';
import { claimResult, markerOffset, markersOf, resultsOf, rowResult } from './replies.ts';
import type { Persistence, ServerFacts } from './server-check.ts';
import type { StoreCalls } from './store-calls.ts';
import { decodeBackup } from './stored-backup.ts';

/** Buckets in a call where they needn't share a slot: a call's fixed cost is that of several rows. Divides their number. */
const bucketsPerCallAtOnce = 128;
/** A claim's answer is its row, of whatever size: so many in a call, and on their way at a time for a call of the port. */
const claimsPerCallMax = 32;
const claimsInFlightMax = 64;
/** Fields asked for in one step of a scan. */
const scanFields = 200;
const lookAgainMs = 100;
/** Of the refusal to wait for the disk. */
const mayHaveChanged: ReadonlySet<string> = new Set(['REFUSED', 'AUTHENTICATION']);

/**
 * The backup store in Redis: one server, a master that Sentinel watches, or a Cluster (PROTOCOL.md 5). Every call of the
 * port goes to the server's function bucket by bucket, and is repeated with the same bytes until it is answered or
 * `callTimeoutMs` has passed. Failures reject with `RedisStoreError`.
 */
export class RedisBackupStore implements BackupStore {
  readonly #options: CompiledRedisOptions;
  readonly #client: RedisClient;
  readonly #calls: StoreCalls;
  readonly #servers: OpenedServers;
  readonly #keys: readonly BucketKeys[];
  readonly #limits: CallLimits;
  /** All buckets, by the calls that ask for all. */
  readonly #groups: readonly (readonly number[])[];
  readonly #lives: BucketLives;

  private constructor(options: CompiledRedisOptions, servers: OpenedServers) {
    this.#options = options;
    this.#servers = servers;
    this.#client = servers.client;
    this.#calls = servers.calls;
    this.#keys = keysOfBuckets(options.keyPrefix);
    const bucketsPerCallMax = options.topology.kind === 'cluster' ? 1 : bucketsPerCallAtOnce;
    this.#limits = { ...options, bucketsPerCallMax };
    this.#groups = Array.from({ length: bucketCount / bucketsPerCallMax }, (_, group) =>
      Array.from({ length: bucketsPerCallMax }, (_, i) => group * bucketsPerCallMax + i),
    );
    const keysOf = (buckets: readonly number[]) => this.#keysOf(buckets);
    this.#lives = new BucketLives(this.#calls, this.#groups, keysOf, options.callsInFlightMax, servers.keepsAll);
  }

  /**
   * Connects and checks the servers. Waits for one that doesn't answer, up to `connectDeadlineMs`, and says so.
   * @throws RedisStoreError OPTIONS, UNREACHABLE, AUTHENTICATION, UNSUITABLE
   */
  static async open(options: RedisStoreOptions, logger: Logger = silentLogger): Promise<RedisBackupStore> {
    const compiled = compileRedisOptions(options);
    return new RedisBackupStore(compiled, await openServers(compiled, logger));
  }

  /** What an acknowledged write survives, by the weakest server, as last looked at. */
  get persistence(): Persistence {
    return this.#servers.persistence;
  }

  /** The servers that were found at the start. */
  get servers(): readonly ServerFacts[] {
    return this.#servers.facts;
  }

  async generationId(): Promise<string> {
    return (await this.#lives.read(this.#deadline())).generationId;
  }

  adopt(generationId: string, current: string): Promise<StoreAnswer<boolean>> {
    const request = Buffer.from(`${generationId} ${current || '-'}`);
    const results = [true];
    return this.#underLife(generationId, 'adopt', this.#ofAllBuckets(request), results, (continues) => {
      results[0] &&= Number(continues) === 1;
    });
  }

  claim(generationId: string, claims: readonly Claim[]): Promise<StoreAnswer<ClaimResult>> {
    const results = new Array<ClaimResult>(claims.length);
    const rowsPerCallMax = Math.min(this.#limits.rowsPerCallMax, claimsPerCallMax);
    const sequences = batchByBucket(claims, { ...this.#limits, rowsPerCallMax }, bucketOfUnit, claimBytes);
    return this.#underLife(generationId, 'claim', sequences, results, (answer, { indexes }) => {
      const [fields, ...rows] = answer as readonly unknown[];
      const markers = markersOf(fields);
      indexes.forEach((index, i) => {
        results[index] = claimResult(rows[i], claims[index]!, markers);
      });
    });
  }

  backup(generationId: string, rows: readonly RowWrite[]): Promise<StoreAnswer<RowResult>> {
    const results = new Array<RowResult>(rows.length);
    const sequences = batchByBucket(rows, this.#limits, bucketOfUnit, backupBytes);
    return this.#underLife(generationId, 'backup', sequences, results, (answer, { indexes }) => {
      indexes.forEach((index, i) => {
        results[index] = rowResult((answer as readonly unknown[])[i]);
      });
    });
  }

  mark(generationId: string, marks: readonly Mark[]): Promise<StoreAnswer<'ok'>> {
    const sequences = batchByBucket(marks, this.#limits, ({ bucket }) => bucket, markBytes);
    const results = marks.map(() => 'ok' as const);
    return this.#underLife(generationId, 'mark', sequences, results, () => {});
  }

  leastMarker(generationId: string, partition: PartitionId): Promise<StoreAnswer<number>> {
    const sequences = this.#ofAllBuckets(Buffer.from(fieldOfPartition(partition)));
    const results = [Number.POSITIVE_INFINITY];
    return this.#underLife(generationId, 'marker', sequences, results, (offset) => {
      results[0] = Math.min(results[0]!, markerOffset(String(offset)));
    });
  }

  async highestEpoch(): Promise<number> {
    let highest = 0;
    // One after the other, since the server does nothing else meanwhile; each with a deadline of its own.
    for (let bucket = 0; bucket < bucketCount; bucket++) {
      const epoch = Number(await this.#calls.call(this.#keysOf([bucket]), ['epoch'], this.#deadline()));
      highest = Math.max(highest, epoch);
    }
    return highest;
  }

  async read(unit: Unit): Promise<StoredRow | null> {
    const field = Buffer.allocUnsafe(unitBytes);
    writeUnit(field, 0, unit);
    const { rows } = this.#keys[bucketOf(unit.hi, unit.lo)]!;
    const stored = await this.#calls.run(() => this.#client.hgetBuffer(rows, field), this.#deadline());
    return stored === null ? null : { hi: unit.hi, lo: unit.lo, ...decodeBackup(stored, unit) };
  }

  /** Bucket by bucket, so that it asks the right server of a cluster and keeps little in memory. */
  async *scan(): AsyncIterable<StoredRow> {
    for (const { rows } of this.#keys) {
      // A hash that is being resized may show a field twice.
      const seen = new Set<string>();
      let cursor = '0';
      do {
        const at = cursor;
        const page = await this.#calls.run(
          () => this.#client.hscanBuffer(rows, at, 'COUNT', scanFields),
          this.#deadline(),
        );
        cursor = String(page[0]);
        for (let i = 0; i + 1 < page[1].length; i += 2) {
          const unit = unitOfField(page[1][i]!);
          if (unit === null || seen.has(formatUnit(unit.hi, unit.lo))) continue;
          seen.add(formatUnit(unit.hi, unit.lo));
          yield { hi: unit.hi, lo: unit.lo, ...decodeBackup(page[1][i + 1]!, unit) };
        }
      } while (cursor !== '0');
    }
  }

  async close(): Promise<void> {
    this.#calls.close();
    this.#client.disconnect();
  }

  #deadline(): Deadline {
    return new Deadline(this.#options.callTimeoutMs);
  }

  #ofAllBuckets(request: Buffer): CallSequence[] {
    return this.#groups.map((buckets) => [buckets.map((bucket) => ({ bucket, request, indexes: [] }))]);
  }

  #keysOf(buckets: readonly number[]): string[] {
    return buckets.flatMap((bucket) => [this.#keys[bucket]!.rows, this.#keys[bucket]!.markers]);
  }

  /**
   * Carries out calls under the lives that `generationId` names, or answers GENERATION. Repeated as a whole when a bucket
   * turns out to live another life than was known: `take` then sees answers again.
   */
  async #underLife<T>(
    generationId: string,
    operation: string,
    sequences: readonly CallSequence[],
    results: readonly T[],
    take: (answer: unknown, part: BucketPart) => void,
  ): Promise<StoreAnswer<T>> {
    const deadline = this.#deadline();
    let lives = this.#lives.known ?? (await this.#lives.read(deadline));
    if (lives.generationId !== generationId) lives = await this.#lives.read(deadline);
    for (;;) {
      if (lives.generationId !== generationId) return { code: 'GENERATION', generationId: lives.generationId };
      const isDone =
        (await this.#carryOut(operation, sequences, lives, deadline, take)) &&
        (operation === 'marker' || (await this.#onDisk(lives, deadline)));
      if (isDone) return { code: 'OK', results };
      if (deadline.passed) {
        const name = describeTopology(this.#options.topology);
        throw new RedisStoreError(
          'UNAVAILABLE',
          `${name} keeps changing its history: does it fail over again and again?`,
        );
      }
      lives = await this.#lives.read(deadline);
    }
  }

  /** False when a bucket lives another life. */
  async #carryOut(
    operation: string,
    sequences: readonly CallSequence[],
    lives: Lives,
    deadline: Deadline,
    take: (answer: unknown, part: BucketPart) => void,
  ): Promise<boolean> {
    let isAlive = true;
    const isClaim = operation === 'claim';
    const inFlightMax = isClaim ? claimCallsInFlight(sequences) : this.#options.callsInFlightMax;
    await eachBounded(sequences, Math.min(inFlightMax, this.#options.callsInFlightMax), async (sequence) => {
      for (const parts of sequence) {
        if (!isAlive) return;
        const keys = this.#keysOf(parts.map(({ bucket }) => bucket));
        const args = parts.flatMap(({ bucket, request }) => [lives.ofBucket[bucket]!, request]);
        const answers = resultsOf(await this.#calls.call(keys, [operation, ...args], deadline));
        // However many large rows it is to answer: it is given up when none comes any more.
        if (isClaim) deadline.renew();
        if (answers === null) isAlive = false;
        else for (const [i, part] of parts.entries()) take(answers[i], part);
      }
    });
    return isAlive;
  }

  /** Waits until what was answered is on disk, where the answer alone doesn't say so. False when the history changed since. */
  async #onDisk(lives: Lives, deadline: Deadline): Promise<boolean> {
    if (!this.#servers.awaitsDisk()) return true;
    try {
      return await this.#awaitDisk(lives, deadline);
    } catch (error) {
      if (!(error instanceof RedisStoreError) || !mayHaveChanged.has(error.code) || deadline.passed) throw error;
      // The server keeps nothing any more, or this user may not wait: it has to be looked at again.
      await deadline.wait(lookAgainMs);
      await this.#lives.read(deadline);
      return false;
    }
  }

  #awaitDisk(lives: Lives, deadline: Deadline): Promise<boolean> {
    return this.#calls.run(async () => {
      // In one turn, so on one connection: the disk is awaited for what this connection has written.
      const [touched, synced] = await Promise.all([
        this.#servers.fn.call(this.#keysOf([0]), ['touch', lives.ofBucket[0]!, '']),
        this.#client.call('WAITAOF', 1, 0, Math.ceil(this.#options.replyTimeoutMs / 2)) as Promise<number[]>,
      ]);
      if (resultsOf(touched) === null) return false;
      if (synced[0] !== 1) throw new Error('the append-only file is not on disk yet');
      return true;
    }, deadline);
  }
}

/** As many as have few rows under way. */
function claimCallsInFlight(sequences: readonly CallSequence[]): number {
  let most = 1;
  for (const sequence of sequences) {
    for (const parts of sequence) {
      most = Math.max(
        most,
        parts.reduce((sum, { indexes }) => sum + indexes.length, 0),
      );
    }
  }
  return Math.max(1, Math.floor(claimsInFlightMax / most));
}

function bucketOfUnit({ hi, lo }: Unit): number {
  return bucketOf(hi, lo);
}
