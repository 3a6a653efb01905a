import type { EndWish } from '@holdfast/processor';
import type { FromShard } from '../shard-messages.ts';

/** Ends of leases as messages: one for all releases, one per shard that units move to. */
export function endMessages(ends: readonly EndWish[]): FromShard[] {
  const byTarget = new Map<string, EndWish[]>();
  for (const end of ends) {
    const key = end.to === null ? '' : `${end.to.session}/${end.to.shard}`;
    const list = byTarget.get(key);
    if (list === undefined) byTarget.set(key, [end]);
    else list.push(end);
  }
  return [...byTarget.values()].map((list) => {
    const { to } = list[0]!;
    const units = packEnds(list);
    return to === null ? { kind: 'release', units } : { kind: 'move', session: to.session, shard: to.shard, units };
  });
}

/** hi, lo, epochHi, epochLo quadruples. */
function packEnds(ends: readonly EndWish[]): Uint32Array {
  const units = new Uint32Array(ends.length * 4);
  for (const [i, { hi, lo, epoch }] of ends.entries()) {
    units.set([hi, lo, Math.floor(epoch / 2 ** 32), epoch >>> 0], i * 4);
  }
  return units;
}
