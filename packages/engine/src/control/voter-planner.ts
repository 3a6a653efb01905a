import type { ConfState, ConfTarget } from '@holdfast/raft';

/** A Raft member, or a node that wants to be one, as the leader sees it. */
export interface MemberFacts {
  readonly member: string;
  /** Of two members of one node, one has lost its storage. */
  readonly node: string;
  /** What may fail together; null where nobody has said. */
  readonly zone: string | null;
  /** Heard from lately. */
  readonly isActive: boolean;
  /** A learner that has nearly all of the log. */
  readonly isPromotable: boolean;
  /** An operator has taken it out. */
  readonly isRemoved: boolean;
  /** A voter that has been silent for so long that another should take its place. */
  readonly isGone: boolean;
}

export interface VoterPlanInput {
  /** Not joint. */
  readonly conf: ConfState;
  /** The member that leads. */
  readonly leader: string;
  /** One per member of `conf`, and one per newcomer. */
  readonly members: readonly MemberFacts[];
  readonly votersWanted: number;
}

/**
 * The next change of Raft's members, or null. One thing at a time, the most urgent first:
 *
 * 1. newcomers become learners, never those that were members before; learners that were removed, or whose node has come back as another member, go
 * 2. a voter that was removed, whose node has come back as another member, or that is gone, is replaced by a learner that
 *    has the log, in one change; without such a learner only one that was removed goes
 * 3. too few voters: learners that have the log become voters, so many that the number of voters is odd
 * 4. two voters in one zone, a learner that has the log in a zone without: they change places
 *
 * Nobody loses a vote to a node that couldn't answer for it at once; who is only gone stays as learner. Whether a quorum
 * is left, Raft's core checks itself.
 */
export function planMembers(input: VoterPlanInput): ConfTarget | null {
  const facts = new Map(input.members.map((member) => [member.member, member]));
  return (
    planLearners(input, facts) ??
    planReplacement(input, facts) ??
    planPromotion(input, facts) ??
    planSpread(input, facts)
  );
}

type Facts = ReadonlyMap<string, MemberFacts>;

function planLearners({ conf, members }: VoterPlanInput, facts: Facts): ConfTarget | null {
  const known = new Set([...conf.voters, ...conf.learners]);
  // While the member that is known answers, another one of its name is a mistake: two processes, one node id.
  const isNameFree = (node: string): boolean =>
    !members.some((other) => other.node === node && known.has(other.member) && other.isActive);
  const newcomers = members.filter(
    ({ member, node, isActive, isRemoved }) =>
      !known.has(member) && !conf.removed.includes(member) && isActive && !isRemoved && isNameFree(node),
  );
  const stays = (id: string): boolean => {
    const learner = facts.get(id);
    return learner === undefined || !(learner.isRemoved || isSuperseded(learner, members));
  };
  const learners = [...conf.learners.filter(stays), ...newcomers.map(({ member }) => member)];
  const isSame = learners.length === conf.learners.length && newcomers.length === 0;
  return isSame ? null : { voters: conf.voters, learners };
}

function planReplacement({ conf, leader, members }: VoterPlanInput, facts: Facts): ConfTarget | null {
  const reasons: ((voter: MemberFacts) => boolean)[] = [
    (voter) => voter.isRemoved,
    (voter) => isSuperseded(voter, members),
    (voter) => voter.isGone && !voter.isActive && voter.member !== leader,
  ];
  for (const isDue of reasons) {
    for (const id of conf.voters) {
      const voter = facts.get(id);
      if (voter === undefined || !isDue(voter)) continue;
      const others = conf.voters.filter((other) => other !== id);
      const successor = bestLearner(conf, facts, others, voter.node);
      if (successor !== null) {
        const learners = conf.learners.filter((learner) => learner !== successor);
        if (!voter.isRemoved && !isSuperseded(voter, members)) learners.push(id);
        return { voters: [...others, successor], learners };
      }
      if (voter.isRemoved && others.length > 0) return { voters: others, learners: conf.learners };
    }
  }
  return null;
}

function planPromotion({ conf, votersWanted }: VoterPlanInput, facts: Facts): ConfTarget | null {
  let voters = conf.voters;
  let chosen: readonly string[] | null = null;
  while (voters.length < votersWanted) {
    const next = bestLearner(conf, facts, voters, null);
    if (next === null) break;
    voters = [...voters, next];
    // An even number needs one more to agree, and tolerates no more failures.
    if (voters.length % 2 === 1) chosen = voters;
  }
  if (chosen === null) return null;
  const promoted = chosen;
  return { voters: promoted, learners: conf.learners.filter((id) => !promoted.includes(id)) };
}

function planSpread({ conf, leader }: VoterPlanInput, facts: Facts): ConfTarget | null {
  const zonesOf = (ids: readonly string[]): Set<string> => {
    return new Set(ids.map((id) => facts.get(id)?.zone ?? null).filter((zone) => zone !== null));
  };
  for (const id of conf.voters) {
    const zone = facts.get(id)?.zone ?? null;
    const others = conf.voters.filter((other) => other !== id);
    // The leader stays: moving its office as well isn't worth it.
    if (zone === null || id === leader || !zonesOf(others).has(zone)) continue;
    const better = conf.learners.find((learner) => {
      const candidate = facts.get(learner);
      return candidate?.isPromotable === true && candidate.zone !== null && !zonesOf(conf.voters).has(candidate.zone);
    });
    if (better === undefined) continue;
    return { voters: [...others, better], learners: [...conf.learners.filter((other) => other !== better), id] };
  }
  return null;
}

/** The node's storage was lost: it is here again as another member, and the one of before is silent. */
function isSuperseded(member: MemberFacts, members: readonly MemberFacts[]): boolean {
  if (member.isActive) return false;
  return members.some((other) => other.node === member.node && other.member !== member.member && other.isActive);
}

/** The learner that would do best beside `voters`: of `node` if there is one, else in the zone with the fewest of them. */
function bestLearner(conf: ConfState, facts: Facts, voters: readonly string[], node: string | null): string | null {
  const taken = new Set(voters.map((id) => facts.get(id)?.node));
  const candidates = conf.learners
    .map((id) => facts.get(id))
    .filter((learner) => learner !== undefined)
    .filter(({ member, isPromotable, isRemoved, node: of }) => {
      return isPromotable && !isRemoved && !taken.has(of) && !voters.includes(member);
    });
  const inZone = (zone: string | null): number =>
    zone === null ? 0 : voters.filter((id) => facts.get(id)?.zone === zone).length;
  const rank = ({ node: of, zone }: MemberFacts): number => (of === node ? -1 : inZone(zone));
  candidates.sort((a, b) => rank(a) - rank(b) || (a.member < b.member ? -1 : 1));
  return candidates[0]?.member ?? null;
}
