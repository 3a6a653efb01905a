import {
  type ConfTarget,
  confAfterJoint,
  encodeConfEntry,
  equalConfs,
  isJoint,
  isVoter,
  nextConf,
  targetProblem,
} from './conf.ts';
import type { RaftCore } from './core.ts';
import { transferLeadership } from './leader.ts';
import { promotable } from './promotable.ts';
import { quorumSize } from './quorum.ts';
import type { ConfChangeResult } from './types.ts';

/*
 * Changes of membership (6; thesis, 4).
 *
 * An entry holds a whole configuration, which holds from when it is applied, at each node for itself. That is safe, as
 * at most one such entry is without effect at its leader: the next is only proposed when the one before is applied, so
 * committed, and with the entry its commit reaches the followers. Who has entry k+1 in its log knows k as committed, and
 * may not stand for election before it has applied it (`isPromotable`). So whoever could win an election, which needs
 * all committed entries, decides by the last committed configuration or the one before it, and any two neighbours share
 * a voter in all their majorities: they differ by one voter, or one of them is the joint one.
 */

/** Is the leader free to propose a change, as far as earlier ones go? */
export function canChangeConf(core: RaftCore): boolean {
  return core.role === 'leader' && core.pendingConfIndex <= core.log.applied && !isJoint(core.conf);
}

/** A leader puts the first step towards `target` into the log; further steps follow by themselves. */
export function proposeConfChange(core: RaftCore, target: ConfTarget): ConfChangeResult {
  if (core.role !== 'leader') return { ok: false, code: 'NOT_LEADER', leader: core.leader };
  if (core.transferee !== null) return { ok: false, code: 'NOT_LEADER', leader: core.transferee };
  const text = targetProblem(target);
  if (text !== null) return { ok: false, code: 'BAD_TARGET', text };
  if (!canChangeConf(core)) return { ok: false, code: 'CHANGE_PENDING' };
  const conf = nextConf(core.conf, target, core.id);
  if (equalConfs(conf, core.conf)) return { ok: false, code: 'UNCHANGED' };
  for (const id of target.voters) {
    if (core.conf.voters.includes(id)) continue;
    if (!promotable(core.progress.get(id), core.log.lastIndex, core.options.promotionLagEntriesMax)) {
      return { ok: false, code: 'NOT_CAUGHT_UP', id };
    }
  }
  const needed = quorumSize(target.voters.length);
  const active = target.voters.filter((id) => id === core.id || core.progress.get(id)?.recentActive).length;
  if (active < needed) return { ok: false, code: 'NO_QUORUM', active, needed };
  return { ok: true, ...appendConf(core, encodeConfEntry(conf)) };
}

/**
 * After entries were applied at a leader: goes on to the next step. A leader that is to go hands over to one that stays
 * first: what it would still take alone, without a vote, could keep the others from being elected for a long time.
 */
export function afterConfApplied(core: RaftCore): void {
  if (core.role !== 'leader') return;
  if (!isVoter(core.conf, core.id)) {
    resign(core);
    return;
  }
  if (!isJoint(core.conf) || core.pendingConfIndex > core.log.applied || core.transferee !== null) return;
  if (core.conf.voters.includes(core.id)) {
    appendConf(core, encodeConfEntry(confAfterJoint(core.conf)));
    return;
  }
  const successor = furthestVoter(core);
  if (successor !== null) transferLeadership(core, successor);
}

/**
 * A leader without a vote: an earlier one had proposed the end of the joint configuration. It has told all of the commit
 * when it applied it (a Ready's messages leave before), and asks the voter that is furthest to take over.
 */
function resign(core: RaftCore): void {
  const to = furthestVoter(core);
  if (to !== null) core.send({ type: 'timeoutNow', from: core.id, to, term: core.term });
  core.becomeFollower(core.term, null);
}

function furthestVoter(core: RaftCore): string | null {
  let best: string | null = null;
  for (const id of core.conf.voters) {
    const progress = core.progress.get(id);
    if (!progress?.recentActive) continue;
    if (best === null || progress.match > core.progress.get(best)!.match) best = id;
  }
  return best;
}

function appendConf(core: RaftCore, data: Uint8Array): { index: number; term: number } {
  const { index, term } = core.log.appendOwn(core.term, data, 'conf');
  core.pendingConfIndex = index;
  core.uncommittedBytes += data.length;
  return { index, term };
}
