import { createHash, randomUUID } from 'node:crypto';
import { bucketCount } from '@holdfast/model';
import type { Deadline } from './deadline.ts';
import { eachBounded } from './each-bounded.ts';
import { RedisStoreError } from './errors.ts';
import type { StoreCalls } from './store-calls.ts';

/** Each bucket's life, and the store's: their sum. */
export interface Lives {
  readonly generationId: string;
  /** By bucket: its life as calls name it, beginning with its id. */
  readonly ofBucket: readonly string[];
}

/** Whether a restart of the server keeps everything that it acknowledged, as it is set up now. */
export interface Keeps {
  /** On disk before the answer; once the disk was waited for. */
  readonly how: 'no' | 'answered' | 'awaited';
  /** The history in which that was seen; null where it doesn't matter. */
  readonly replicationId: string | null;
}

const digits = { no: '0', answered: '1', awaited: '2' } as const;

/**
 * Knows the lives of all buckets. The store's generation is a hash over them: a bucket that begins another life, on one
 * server of many or alone, makes it another generation.
 */
export class BucketLives {
  readonly #calls: StoreCalls;
  readonly #groups: readonly (readonly number[])[];
  readonly #keys: (buckets: readonly number[]) => string[];
  readonly #callsInFlightMax: number;
  readonly #keepsAll: (deadline: Deadline) => Promise<Keeps>;
  #known: Lives | null = null;
  #reading: Promise<Lives> | null = null;

  /**
   * @param groups all buckets, by the calls that ask for them
   * @param keepsAll looks at the server
   */
  constructor(
    calls: StoreCalls,
    groups: readonly (readonly number[])[],
    keys: (buckets: readonly number[]) => string[],
    callsInFlightMax: number,
    keepsAll: (deadline: Deadline) => Promise<Keeps>,
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
    for (;;) {
      const lives = await this.#readOnce(deadline);
      if (lives !== null) return (this.#known = lives);
      if (deadline.passed)
        throw new RedisStoreError('UNAVAILABLE', 'the server begins another history again and again');
    }
  }

  /** Null: the server has begun another history since it was looked at, and may be set up in another way. */
  async #readOnce(deadline: Deadline): Promise<Lives | null> {
    const { how, replicationId } = await this.#keepsAll(deadline);
    const ofBucket = new Array<string>(bucketCount);
    let isSame = true;
    await eachBounded(this.#groups, this.#callsInFlightMax, async (buckets) => {
      // Whoever comes first begins a life: the others get his id.
      const args = ['life', digits[how], replicationId ?? '-', ...buckets.map(() => randomUUID())];
      const lives = (await this.#calls.call(this.#keys(buckets), args, deadline)) as readonly unknown[];
      if (lives[0] === 0) isSame = false;
      buckets.forEach((bucket, i) => {
        ofBucket[bucket] = String(lives[i]);
      });
    });
    if (!isSame) return null;
    // Ids alone: a server that restarted and kept everything has another replication id, and the same life.
    const ids = ofBucket.map((life) => life.split(' ', 1)[0]);
    const generationId = createHash('sha256').update(ids.join(',')).digest('hex').slice(0, 32);
    return { generationId, ofBucket };
  }
}
