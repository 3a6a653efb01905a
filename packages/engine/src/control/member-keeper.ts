import type { LeaseTable } from '@holdfast/lease';
import type { Logger, NodeId } from '@holdfast/model';
import { allMembers, type ConfTarget, isJoint, promotable } from '@holdfast/raft';
import { delay, type Timers } from '../ports/timers.ts';
import { badRequest, type LeaderReply } from './calls.ts';
import { nodeOfMember } from './member-id.ts';
import { nameTakenText, standingOf } from './member-standing.ts';
import type { RaftDriver } from './raft-driver.ts';
import { unlessStopped } from './raft-driver-error.ts';
import { type MemberFacts, planMembers } from './voter-planner.ts';

export const joinMethod = 'raft.join';
/** How often the leader looks whether somebody should join, or vote. */
const lookMs = 1_000;
/** Who wants to join says so once a second. */
const newcomerMs = 5_000;
/** An operator is told that a node is out once the log says so. Most callers wait for longer. */
const removalMsMax = 3_000;
const removalLookMs = 20;
/** Longer than a restart: another node should vote instead of one that has been silent for so long. */
export const voterGoneMs = 120_000;
/** Learners that are further behind don't get a vote, and no member a session. */
export const lagEntriesMax = 1_000;

export interface JoinRequest {
  readonly member: string;
  /** Of the data folder. */
  readonly uuid: string;
  /** There are entries in its storage; missing: a node of before doesn't say. */
  readonly hasLog?: boolean;
}

export interface MemberKeeperOptions {
  readonly member: string;
  readonly driver: Pick<RaftDriver, 'status' | 'members' | 'changeMembers'>;
  readonly timers: Timers;
  readonly logger: Logger;
  readonly votersWanted: number;
  /** What may fail together; null where it isn't known. */
  readonly zoneOf: (node: NodeId) => string | null;
  readonly table: Pick<LeaseTable, 'node'>;
}

/**
 * One leadership's care for Raft's members: takes newcomers in as learners, gives votes by the plan, one change at a
 * time. All it knows is learnt anew by the next leader, but what the log says.
 */
export class MemberKeeper {
  readonly #options: MemberKeeperOptions;
  readonly #newcomers = new Map<string, number>();
  readonly #activeAtMs = new Map<string, number>();
  readonly #removed = new Set<string>();
  /** Told of in the log. */
  readonly #strangers = new Set<NodeId>();
  readonly #beganAtMs: number;
  #cancel: () => void = () => {};
  #isOver = false;

  constructor(options: MemberKeeperOptions) {
    this.#options = options;
    this.#beganAtMs = options.timers.monotonicMs();
    this.#schedule();
  }

  end(): void {
    this.#isOver = true;
    this.#cancel();
  }

  /** A node that isn't a member asks to be one. `from` is who the channel says it is. */
  join(from: NodeId, { member, uuid, hasLog }: JoinRequest): LeaderReply {
    const { driver, table, logger } = this.#options;
    if (typeof member !== 'string' || nodeOfMember(member) !== from) {
      return badRequest(`${member} is no member of ${from}`);
    }
    if (standingOf(driver.members(), member) === 'member') return { code: 'OK' };
    // It would take the vote of the node whose name it has, and then be refused a session (PROTOCOL.md 1).
    const known = table.node(from);
    if (known !== undefined && known.uuid !== uuid) {
      return { code: 'REFUSED', reason: 'NODE_ID_TAKEN', text: nameTakenText(from) };
    }
    // Two logs must not be mixed: one of the two is not this cluster's. Which of the nodes is wrong can't be told from here.
    if (hasLog === true) {
      const text = `${from} has a Raft log, and is no member: one of another cluster? Move the raft folder away of whichever node is wrong`;
      if (!this.#strangers.has(from))
        logger.warn('a node with a log of its own is not taken in', { node: from, member });
      this.#strangers.add(from);
      return badRequest(text);
    }
    this.#newcomers.set(member, this.#options.timers.monotonicMs());
    return { code: 'OK' };
  }

  /**
   * An operator takes a node out of the members, for good: it is stopped or lost. OK once that is committed: what has only
   * begun goes with its leader.
   */
  async remove(node: NodeId): Promise<LeaderReply> {
    const { driver, table, member } = this.#options;
    if (nodeOfMember(member) === node) return badRequest(`${node} leads: stop it first`);
    if ((table.node(node)?.session ?? 0) > 0)
      return badRequest(`${node} has a session: stop it first, or wait until it has expired`);
    const { conf } = driver.status();
    const ids = allMembers(conf).filter((id) => nodeOfMember(id) === node);
    if (ids.length === 0) return badRequest(`${node} is no member`);
    for (const id of ids) this.#removed.add(id);
    const { target, refusal } = await this.#look();
    const isDropped = target !== null && !ids.some((id) => [...target.voters, ...target.learners].includes(id));
    if (refusal === null && isDropped) return this.#untilGone(node, ids);
    for (const id of ids) this.#removed.delete(id);
    // Something more urgent came first.
    if (refusal === 'CHANGE_PENDING' || (refusal === null && target !== null)) {
      return { code: 'RETRY', text: 'another change of the members is under way' };
    }
    return badRequest(`${node} can't be taken out now: ${refusal ?? 'it is the only voter'}`);
  }

  async #untilGone(node: NodeId, ids: readonly string[]): Promise<LeaderReply> {
    const { driver, timers } = this.#options;
    const endMs = timers.monotonicMs() + removalMsMax;
    while (!this.#isOver && timers.monotonicMs() < endMs) {
      const members = allMembers(driver.members());
      if (!ids.some((id) => members.includes(id))) return { code: 'OK' };
      await delay(timers, removalLookMs);
    }
    return { code: 'RETRY', text: `${node} is not out of the members yet` };
  }

  #schedule(): void {
    this.#cancel = this.#options.timers.setTimer(lookMs, () => {
      this.#schedule();
      this.#look().catch(unlessStopped);
    });
  }

  /** Begins a change if one is due; says which, and why it was refused if it was. */
  async #look(): Promise<{ readonly target: ConfTarget | null; readonly refusal: string | null }> {
    const { member: leader, driver, votersWanted, logger, timers } = this.#options;
    const { conf, canChangeConf } = driver.status();
    const members = this.#facts(timers.monotonicMs());
    if (isJoint(conf) || !canChangeConf) return { target: null, refusal: 'CHANGE_PENDING' };
    const target = planMembers({ conf, leader, members, votersWanted });
    if (target === null) return { target, refusal: null };
    const result = await driver.changeMembers(target);
    if (result.ok) {
      logger.info('members are changed', { ...target });
      return { target, refusal: null };
    }
    logger.debug('change of members refused', { ...result });
    return { target, refusal: result.code };
  }

  #facts(nowMs: number): MemberFacts[] {
    const { member: self, driver, zoneOf } = this.#options;
    const { conf, progress, lastIndex } = driver.status();
    const members: MemberFacts[] = [];
    for (const member of new Set(allMembers(conf))) {
      const peer = progress.get(member);
      const isActive = member === self || peer?.recentActive === true;
      if (isActive) this.#activeAtMs.set(member, nowMs);
      const silentMs = nowMs - (this.#activeAtMs.get(member) ?? this.#beganAtMs);
      const node = nodeOfMember(member);
      members.push({
        member,
        node,
        zone: zoneOf(node),
        isActive,
        isPromotable: promotable(peer, lastIndex, lagEntriesMax),
        isRemoved: this.#removed.has(member),
        isGone: silentMs >= voterGoneMs,
      });
      this.#newcomers.delete(member);
    }
    for (const [member, atMs] of this.#newcomers) {
      if (nowMs - atMs > newcomerMs) this.#newcomers.delete(member);
      else members.push(newcomer(member, zoneOf(nodeOfMember(member))));
    }
    return members;
  }
}

function newcomer(member: string, zone: string | null): MemberFacts {
  const node = nodeOfMember(member);
  return { member, node, zone, isActive: true, isPromotable: false, isRemoved: false, isGone: false };
}
