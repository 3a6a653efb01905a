import { createHash, randomUUID } from 'node:crypto';
import { bucketCount } from '@holdfast/model';
import type { Deadline } from './deadline.ts';
import { eachBounded } from './each-bounded.ts';
import type { StoreCalls } from './store-calls.ts';

/** Each bucket's life, and the store's: their sum. */
export interface Lives {
  readonly generationId: string;
  /** By bucket: its life's id and the replication id under which it goes on, as calls name them. */
  readonly ofBucket: readonly string[];
}

/**
 * Knows the lives of all buckets. The store's generation is a hash over them: a bucket that begins another life, on one
 * server of many or alone, makes it another generation.
 */
export class BucketLives {
  readonly #calls: StoreCalls;
  readonly #groups: readonly (readonly number[])[];
  readonly #keys: (buckets: readonly number[]) => string[];
  readonly #callsInFlightMax: number;
  readonly #keepsAll: (deadline: Deadline) => Promise<boolean>;
  #known: Lives | null = null;
  #reading: Promise<Lives> | null = null;

  /**
   * @param groups all buckets, by the calls that ask for them
   * @param keepsAll whether a restart of the server keeps everything that it acknowledged, as it is set up now
   */
  constructor(
    calls: StoreCalls,
    groups: readonly (readonly number[])[],
    keys: (buckets: readonly number[]) => string[],
    callsInFlightMax: number,
    keepsAll: (deadline: Deadline) => Promise<boolean>,
  ) {
    this.#calls = calls;
    this.#groups = groups;
    this.#keys = keys;
    this.#callsInFlightMax = callsInFlightMax;
    this.#keepsAll = keepsAll;
  }

  /** As last read. */
  get known(): Lives | null {
    return this.#known;
  }

  /** Reads all lives, and begins those that are missing or over. @throws RedisStoreError */
  read(deadline: Deadline): Promise<Lives> {
    this.#reading ??= this.#read(deadline).finally(() => {
      this.#reading = null;
    });
    return this.#reading;
  }

  async #read(deadline: Deadline): Promise<Lives> {
    const keeps = (await this.#keepsAll(deadline)) ? '1' : '0';
    const ofBucket = new Array<string>(bucketCount);
    await eachBounded(this.#groups, this.#callsInFlightMax, async (buckets) => {
      // Whoever comes first begins a life: the others get his id.
      const args = ['life', keeps, ...buckets.map(() => randomUUID())];
      const lives = (await this.#calls.call(this.#keys(buckets), args, deadline)) as readonly unknown[];
      buckets.forEach((bucket, i) => {
        ofBucket[bucket] = String(lives[i]);
      });
    });
    // Ids alone: a server that restarted and kept everything has another replication id, and the same life.
    const ids = ofBucket.map((life) => life.split(' ', 1)[0]);
    const generationId = createHash('sha256').update(ids.join(',')).digest('hex').slice(0, 32);
    return (this.#known = { generationId, ofBucket });
  }
}
