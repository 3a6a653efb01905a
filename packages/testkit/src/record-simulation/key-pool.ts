import { bucketOf, hashUnit, type Rng, randomBelow, unitHashOut } from '@holdfast/model';

/** The unit of a key. */
export function unitOf(key: string): { hi: number; lo: number } {
  const bytes = Buffer.from(key);
  hashUnit(bytes, 0, bytes.length);
  return { hi: unitHashOut.hi, lo: unitHashOut.lo };
}

export function bucketOfKey(key: string): number {
  const { hi, lo } = unitOf(key);
  return bucketOf(hi, lo);
}

/** Keys by bucket, of some buckets that have several: chance alone would give each key a bucket of its own. */
const crowded: readonly (readonly string[])[] = crowdedBuckets();

function crowdedBuckets(): string[][] {
  const byBucket = new Map<number, string[]>();
  for (let i = 0; i < 6_000; i++) {
    const key = `k${i}`;
    const bucket = bucketOfKey(key);
    const keys = byBucket.get(bucket);
    if (keys === undefined) byBucket.set(bucket, [key]);
    else keys.push(key);
  }
  return [...byBucket.values()].filter((keys) => keys.length >= 6).slice(0, 8);
}

/** `count` keys in at most `buckets` store buckets. */
export function drawKeys(rng: Rng, count: number, buckets: number): string[] {
  const first = randomBelow(rng, crowded.length);
  return Array.from({ length: count }, (_, i) => {
    const keys = crowded[(first + (i % buckets)) % crowded.length]!;
    return keys[Math.floor(i / buckets) % keys.length]!;
  });
}
