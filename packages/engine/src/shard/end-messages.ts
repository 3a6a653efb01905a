import { formatUnit } from '@holdfast/model';
import { type ClaimWish, type EndWish, UnreadableRowError } from '@holdfast/processor';
import type { FromShard } from '../shard-messages.ts';
import type { ShardContext } from './shard-context.ts';

/** Ends of leases as messages: one for all releases, one per shard that units move to. */
function endMessages(ends: readonly EndWish[]): FromShard[] {
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

const stateText = "a user's state can't be written or read: it goes into quarantine, and its last backup stays";
const rowText = "a user's stored row can't be read: it goes into quarantine, and the row stays as it is";
const sealedText =
  "the stored row of a user in quarantine can't be read: its records become dead letters, and the row stays as it is";

/** Proposes the ends of leases that a holder wants, and those of its faulty units. */
export function sendEnds({ holder, options }: ShardContext, nowMs: number): void {
  for (const message of endMessages(holder.ends.takeEnds(nowMs))) options.send(message);
  for (const { hi, lo, problem } of holder.ends.takeSealed())
    options.logger.error(sealedText, { unit: formatUnit(hi, lo), err: problem });
  const faults = holder.ends.takeFaults(nowMs);
  if (faults.length === 0) return;
  for (const { hi, lo, problem } of faults) {
    if (problem === null) continue;
    const text = problem instanceof UnreadableRowError ? rowText : stateText;
    options.logger.error(text, { unit: formatUnit(hi, lo), err: problem });
  }
  options.send({ kind: 'faulty', units: packEnds(faults) });
}

/** hi, lo, epochHi, epochLo quadruples. */
function packEnds(ends: readonly ClaimWish[]): Uint32Array {
  const units = new Uint32Array(ends.length * 4);
  for (const [i, { hi, lo, epoch }] of ends.entries()) {
    units.set([hi, lo, Math.floor(epoch / 2 ** 32), epoch >>> 0], i * 4);
  }
  return units;
}
