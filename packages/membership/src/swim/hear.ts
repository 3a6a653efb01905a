import { type Rng, randomRatio } from '@holdfast/model';
import { compareClaims } from '../claim-order.ts';
import { incarnationsPerStart, startsMissedMax } from '../limits.ts';
import { isReachable, type MemberClaim } from '../member.ts';
import type { News } from './packet.ts';
import { startProbe, suspect } from './probe.ts';
import type { SwimState } from './swim-state.ts';

const incarnationLeapMax = startsMissedMax * incarnationsPerStart;

/** All forget a tombstone within so long: a second for each mouth that it has come through, and some for the verdicts. */
const forgottenWithinMs = 10_000;

/** Takes in what somebody says about a member. */
export function hear(state: SwimState, news: News, nowMs: number, rng: Rng): void {
  const { claim, ageMs } = news;
  const known = claim.id === state.options.id ? state.self : state.view.members.get(claim.id);
  if (!isPlausible(claim) || claim.incarnation - (known?.incarnation ?? claim.incarnation) > incarnationLeapMax) {
    state.stats.refusedClaims++;
    return;
  }
  if (claim.id === state.options.id) hearOfSelf(state, claim, nowMs);
  else if (isReachable(claim)) hearOfMember(state, news, nowMs, rng);
  else if (ageMs < keptMs(state, known !== undefined)) hearOfMember(state, news, nowMs, rng);
}

/**
 * Up to which age a tombstone is taken in. What others are about to forget isn't to be learned any more: they don't forget
 * it in one moment, since its age is rounded up each time that it is told, and who has forgotten it would be told again.
 */
function keptMs({ options: { tombstoneKeepMs } }: SwimState, isKnown: boolean): number {
  return isKnown ? tombstoneKeepMs : tombstoneKeepMs - Math.min(forgottenWithinMs, tombstoneKeepMs / 4);
}

/** An incarnation belongs to the start that its meta tells of, or was raised above that of an earlier life's memory. */
function isPlausible({ incarnation, meta }: MemberClaim): boolean {
  const startsAhead = Math.floor(incarnation / incarnationsPerStart) - meta.startCounter;
  return startsAhead >= 0 && startsAhead <= startsMissedMax;
}

/** Only this node decides what is true of it; what others hold against it is refuted by a higher incarnation. */
function hearOfSelf(state: SwimState, claim: MemberClaim, nowMs: number): void {
  const { self } = state;
  state.step({ type: 'claim', claim }, nowMs);
  if (state.isLeaving || compareClaims(claim, self) <= 0) return;
  const sameFolder = claim.meta.uuid === self.meta.uuid;
  // A newer start of this folder runs: it speaks for the node now.
  if (sameFolder && claim.meta.startCounter > self.meta.startCounter) return;
  // Another process under this name, alive: shouting each other down helps nobody, the lease table decides.
  if (!sameFolder && isReachable(claim) && claim.gossipAddress !== self.gossipAddress) return;
  state.stats.refutations++;
  // One that is accused may well be slow.
  if (claim.state !== 'alive') state.health.worsen();
  state.raiseSelf({}, claim.incarnation, nowMs);
}

function hearOfMember(state: SwimState, news: News, nowMs: number, rng: Rng): void {
  const { id } = news.claim;
  const claim = isDoubtful(state, news.claim, nowMs) ? doubted(state, news.claim) : news.claim;
  const isNew = state.step({ type: 'claim', claim }, nowMs - news.ageMs);
  const member = state.view.members.get(id);
  if (member === undefined) return;
  if (member.state !== 'suspect') state.suspicions.delete(id);
  else if (claim.state === 'suspect' && claim.incarnation === member.incarnation) {
    const suspicion = state.suspicions.get(id);
    suspect(state, member, news.accusers, nowMs);
    if (suspicion === undefined) seekOwnOpinion(state, claim, nowMs, rng);
  }
  if (!isReachable(member)) state.probes.delete(id);
  if (isNew) state.tell(id, nowMs);
  // Whoever still says so hasn't heard the refutation.
  else if (claim.state !== 'alive' && compareClaims(claim, member) < 0 && !state.rumours.has(id)) state.tell(id, nowMs);
}

/**
 * A death told by another, of a member heard here a moment ago: the teller may be the sick one. It is taken for a
 * suspicion, so that the member can refute; if it is dead indeed, this node finds so itself. Merging stays the maximum of
 * a total order: what is doubted is another claim, of lower rank.
 */
function isDoubtful(state: SwimState, claim: MemberClaim, nowMs: number): boolean {
  if (claim.state !== 'dead') return false;
  const known = state.view.members.get(claim.id);
  if (known === undefined || !isReachable(known)) return false;
  return state.isHeardSince(claim.id, nowMs - state.options.suspicionMinMs);
}

function doubted(state: SwimState, claim: MemberClaim): MemberClaim {
  state.stats.hearsayDoubted++;
  return { ...claim, state: 'suspect' };
}

/** Confirmation shortens the time to refute. In large clusters a few are enough: a suspect has no time for hundreds. */
function seekOwnOpinion(state: SwimState, claim: MemberClaim, nowMs: number, rng: Rng): void {
  const peers = state.view.members.size;
  if (randomRatio(rng) * peers < 3 * state.options.relaysMax) startProbe(state, claim.id, nowMs);
}
