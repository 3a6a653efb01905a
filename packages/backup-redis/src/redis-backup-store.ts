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
import { bucketOf, formatUnit, type Logger, type PartitionId, silentLogger, type Unit } from '@holdfast/model';
import { type BucketWork, backupBytes, batchByBucket, batchMarks, claimBytes } from './bucket-batches.ts';
import { type BucketKeys, fieldOfPartition, keysOfBuckets, unitBytes, unitOfField, writeUnit } from './bucket-keys.ts';
import { BucketLives, type Lives } from './bucket-lives.ts';
import type { RedisClient } from './client.ts';
import { Deadline } from './deadline.ts';
import { eachBounded } from './each-bounded.ts';
import { RedisStoreError } from './errors.ts';
import { type OpenedServers, openServers } from './open-servers.ts';
import { type CompiledRedisOptions, compileRedisOptions, describeTopology, type RedisStoreOptions } from './options.ts';
import { claimResult, markersOf, resultsOf, rowResult } from './replies.ts';
import type { Persistence, ServerFacts } from './server-check.ts';
import type { StoreCalls } from './store-calls.ts';
import { decodeBackup } from './stored-backup.ts';

/** Fields asked for in one step of a scan. */
const scanFields = 200;
/** Buckets scanned at a time when the highest epoch is looked for. */
const epochCallsMax = 8;

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
  readonly #lives: BucketLives;

  private constructor(options: CompiledRedisOptions, servers: OpenedServers) {
    this.#options = options;
    this.#servers = servers;
    this.#client = servers.client;
    this.#calls = servers.calls;
    this.#keys = keysOfBuckets(options.keyPrefix);
    this.#lives = new BucketLives(this.#calls, this.#keys, options.callsInFlightMax, servers.keepsAll);
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

  claim(generationId: string, claims: readonly Claim[]): Promise<StoreAnswer<ClaimResult>> {
    const work = batchByBucket('claim', claims, this.#options, claimBytes);
    const results = new Array<ClaimResult>(claims.length);
    return this.#underLife(generationId, work, results, ([fields, ...rows], indexes) => {
      const markers = markersOf(fields);
      indexes.forEach((index, i) => {
        results[index] = claimResult(rows[i], claims[index]!, markers);
      });
    });
  }

  backup(generationId: string, rows: readonly RowWrite[]): Promise<StoreAnswer<RowResult>> {
    const work = batchByBucket('backup', rows, this.#options, backupBytes);
    const results = new Array<RowResult>(rows.length);
    return this.#underLife(generationId, work, results, (answer, indexes) => {
      indexes.forEach((index, i) => {
        results[index] = rowResult(answer[i]);
      });
    });
  }

  mark(generationId: string, marks: readonly Mark[]): Promise<StoreAnswer<'ok'>> {
    const work = batchMarks(marks, this.#options.rowsPerCallMax);
    const results = marks.map(() => 'ok' as const);
    return this.#underLife(generationId, work, results, () => {});
  }

  async leastMarker(generationId: string, partition: PartitionId): Promise<StoreAnswer<number>> {
    const calls = [{ operation: 'marker', args: [fieldOfPartition(partition)], indexes: [] }];
    const work = this.#keys.map((_, bucket) => ({ bucket, calls }));
    const results = [Number.POSITIVE_INFINITY];
    return this.#underLife(generationId, work, results, ([offset]) => {
      results[0] = Math.min(results[0]!, Number(String(offset)));
    });
  }

  async highestEpoch(): Promise<number> {
    let highest = 0;
    await eachBounded(this.#keys, epochCallsMax, async ({ rows, markers }) => {
      // A deadline a bucket: the whole takes as long as there are rows.
      const ofBucket = Number(await this.#calls.call([rows, markers], ['epoch'], this.#deadline()));
      highest = Math.max(highest, ofBucket);
    });
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

  /**
   * Carries out `work` under the lives that `generationId` names, or answers GENERATION. Repeated as a whole when a bucket
   * turns out to live another life than was known: `take` then sees answers again.
   */
  async #underLife<T>(
    generationId: string,
    work: readonly BucketWork[],
    results: readonly T[],
    take: (answer: readonly unknown[], indexes: readonly number[]) => void,
  ): Promise<StoreAnswer<T>> {
    const deadline = this.#deadline();
    let lives = this.#lives.known ?? (await this.#lives.read(deadline));
    if (lives.generationId !== generationId) lives = await this.#lives.read(deadline);
    for (;;) {
      if (lives.generationId !== generationId) return { code: 'GENERATION', generationId: lives.generationId };
      if (await this.#carryOut(work, lives, deadline, take)) return { code: 'OK', results };
      if (deadline.passed) {
        const text = `${describeTopology(this.#options.topology)} keeps changing its history: does it fail over again and again?`;
        throw new RedisStoreError('UNAVAILABLE', text);
      }
      lives = await this.#lives.read(deadline);
    }
  }

  /** False when a bucket lives another life. */
  async #carryOut(
    work: readonly BucketWork[],
    lives: Lives,
    deadline: Deadline,
    take: (answer: readonly unknown[], indexes: readonly number[]) => void,
  ): Promise<boolean> {
    let isAlive = true;
    const call = async (bucket: number, operation: string, args: readonly (string | Buffer)[]) => {
      const { rows, markers } = this.#keys[bucket]!;
      const all = [operation, lives.ofBucket[bucket]!, ...args];
      const answer = resultsOf(await this.#calls.call([rows, markers], all, deadline));
      if (answer === null) isAlive = false;
      return answer;
    };
    await eachBounded(work, this.#options.callsInFlightMax, async ({ bucket, calls }) => {
      for (const { operation, args, indexes } of calls) {
        const answer = isAlive ? await call(bucket, operation, args) : null;
        if (answer === null) return;
        take(answer, indexes);
      }
    });
    if (!isAlive || work.length === 0 || !this.#servers.awaitsDisk()) return isAlive;
    await this.#calls.run(async () => {
      // In one turn, so on one connection: the disk is awaited for what this connection has written.
      const [touched, synced] = await Promise.all([
        this.#servers.fn.call([this.#keys[0]!.rows], ['touch', lives.ofBucket[0]!]),
        this.#client.call('WAITAOF', 1, 0, Math.ceil(this.#options.replyTimeoutMs / 2)) as Promise<number[]>,
      ]);
      if (resultsOf(touched) === null) isAlive = false;
      else if (synced[0] !== 1) throw new Error('the append-only file is not on disk yet');
    }, deadline);
    return isAlive;
  }
}
