import { type ShardRef, sessionId, shardIndex } from '@holdfast/model';
import type { Holder } from '@holdfast/processor';
import type { ToShard } from '../shard-messages.ts';

type HandOverMessage = Extract<ToShard, { readonly kind: 'handOver' | 'moveUnit' }>;

/** What the leader wants handed over, as it reaches the holder. */
export function handOverAsTold({ ends }: Holder, message: HandOverMessage, nowMs: number): void {
  if (message.kind === 'handOver') {
    const plan = message.plan.map(({ session, shard, count }) => ({ to: refOf(session, shard), count }));
    ends.planHandOver(plan, nowMs);
    return;
  }
  const { hi, lo, session, shard } = message;
  ends.moveUnit(hi, lo, refOf(session, shard), nowMs);
}

function refOf(session: number, shard: number): ShardRef {
  return { session: sessionId(session), shard: shardIndex(shard) };
}
