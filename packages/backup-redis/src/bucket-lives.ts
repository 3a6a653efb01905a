import { createHash, randomUUID } from 'node:crypto';
import type { BucketKeys } from './bucket-keys.ts';
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
  readonly #keys: readonly BucketKeys[];
  readonly #callsInFlightMax: number;
  readonly #keepsAll: (deadline: Deadline) => Promise<boolean>;
  #known: Lives | null = null;
  #reading: Promise<Lives> | null = null;

  /** @param keepsAll whether a restart of the server keeps everything that it acknowledged, as it is set up now */
  constructor(
    calls: StoreCalls,
    keys: readonly BucketKeys[],
    callsInFlightMax: number,
    keepsAll: (deadline: Deadline) => Promise<boolean>,
  ) {
    this.#calls = calls;
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
    const ofBucket = new Array<string>(this.#keys.length);
    await eachBounded(this.#keys, this.#callsInFlightMax, async ({ rows, markers }, bucket) => {
      // Whoever comes first begins a life: the others get his id.
      const life = await this.#calls.call([rows, markers], ['life', randomUUID(), keeps], deadline);
      ofBucket[bucket] = String(life);
    });
    // Ids alone: a server that restarted and kept everything has another replication id, and the same life.
    const ids = ofBucket.map((life) => life.split(' ', 1)[0]);
    const generationId = createHash('sha256').update(ids.join(',')).digest('hex').slice(0, 32);
    return (this.#known = { generationId, ofBucket });
  }
}
