import { type ShardRef, sessionId, shardIndex } from '@holdfast/model';
import type { Holder } from '@holdfast/processor';
import type { ToShard } from '../shard-messages.ts';

type HandOverMessage = Extract<ToShard, { readonly kind: 'handOver' | 'moveUnit' | 'makeRoom' }>;

/** Units looked at for each that is released to make room: the longest idle of these go. */
const roomLookRatio = 4;

/** What the leader wants handed over or released, as it reaches the holder. */
export function handOverAsTold({ ends }: Holder, message: HandOverMessage, nowMs: number): void {
  if (message.kind === 'handOver') {
    const plan = message.plan.map(({ session, shard, count }) => ({ to: refOf(session, shard), count }));
    ends.planHandOver(plan, nowMs);
    return;
  }
  if (message.kind === 'makeRoom') {
    ends.closeLongestIdle(message.units, message.units * roomLookRatio, nowMs);
    return;
  }
  const { hi, lo, session, shard } = message;
  ends.moveUnit(hi, lo, refOf(session, shard), nowMs);
}

function refOf(session: number, shard: number): ShardRef {
  return { session: sessionId(session), shard: shardIndex(shard) };
}
