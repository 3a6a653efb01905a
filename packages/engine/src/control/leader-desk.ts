import {
  type LeaseDecision,
  type LeaseRecord,
  type LeaseRefusal,
  type LeaseTable,
  type NodeSays,
  unitsPerRecordMax,
} from '@holdfast/lease';
import {
  ByteFormatError,
  type LeaseEpoch,
  type NodeId,
  type SessionId,
  type ShardIndex,
  type ShardRef,
  sessionId,
} from '@holdfast/model';
import { promotable } from '@holdfast/raft';
import type { Timers } from '../ports/timers.ts';
import {
  type AdminRequest,
  badRequest,
  type CallMethod,
  checkedSays,
  decodeJson,
  decodeUnits,
  type GiveUpRequest,
  type LeaderReply,
  ok,
  type RenewAnswer,
  type RenewRequest,
  type SessionOpenRequest,
  type UnitsRequest,
} from './calls.ts';
import type { LeaderTerm } from './leader-term.ts';
import { nodeOfMember } from './member-id.ts';
import { lagEntriesMax, type MemberKeeper } from './member-keeper.ts';
import { nameTakenText, removedText, standingOf } from './member-standing.ts';
import { decodeMove, type MoveRequest } from './move-calls.ts';
import { NodeStopper } from './node-stopper.ts';
import type { RaftDriver } from './raft-driver.ts';
import { RaftDriverError } from './raft-driver-error.ts';
import { checkedAdmin, checkedGiveUp, checkedOfSession, checkedOpen } from './request-checks.ts';
import { sessionOpenedBy } from './table-views.ts';

export interface LeaderDeskOptions {
  readonly table: LeaseTable;
  readonly driver: RaftDriver;
  readonly timers: Timers;
  /** The present leadership of this node, if any. */
  readonly term: () => LeaderTerm | null;
  /** Of the same leadership. */
  readonly members: () => MemberKeeper | null;
}

/** Answers what nodes ask of the leader: checks who asks, decides, proposes, and answers once the entry is applied. */
export class LeaderDesk {
  readonly #options: LeaderDeskOptions;
  readonly #stopper: NodeStopper;

  constructor(options: LeaderDeskOptions) {
    this.#options = options;
    this.#stopper = new NodeStopper(options);
  }

  /** `from` is who the channel says it is. Never rejects for what a caller or a change of leader can cause. */
  async answer(from: NodeId, method: CallMethod, body: Uint8Array): Promise<LeaderReply> {
    const receivedAtMs = this.#options.timers.monotonicMs();
    const term = this.#options.term();
    if (term === null) return this.#notLeader();
    if (!term.isFounded) return { code: 'RETRY', text: 'the cluster is being founded' };
    try {
      return await this.#answer(term, from, method, body, receivedAtMs);
    } catch (error) {
      if (error instanceof ByteFormatError) return badRequest(error.message);
      if (!(error instanceof RaftDriverError)) throw error;
      return error.code === 'NOT_LEADER' ? this.#notLeader() : { code: 'RETRY', text: error.message };
    }
  }

  async #answer(
    term: LeaderTerm,
    from: NodeId,
    method: CallMethod,
    body: Uint8Array,
    receivedAtMs: number,
  ): Promise<LeaderReply> {
    switch (method) {
      case 'session.open':
        return this.#open(term, from, checkedOpen(decodeJson(body)), receivedAtMs);
      case 'session.renew': {
        const request = checkedOfSession<RenewRequest>(decodeJson(body));
        return this.#renew(term, this.#ownSession(from, request.session), receivedAtMs, checkedSays(request));
      }
      case 'session.closing': {
        const session = this.#ownSession(from, checkedOfSession(decodeJson(body)).session);
        return this.#settle(term, term.decide({ kind: 'markClosing', session }));
      }
      case 'session.end': {
        const session = this.#ownSession(from, checkedOfSession(decodeJson(body)).session);
        return this.#settle(term, term.decide({ kind: 'endSession', session, reason: 'clean' }));
      }
      case 'units.acquire':
        return this.#acquire(term, from, decodeUnits(body));
      case 'units.release':
        return this.#endUnits(term, from, decodeUnits(body), 'release');
      case 'units.faulty':
        return this.#endUnits(term, from, decodeUnits(body), 'endFaulty');
      case 'units.move':
        return this.#move(term, from, decodeMove(body));
      case 'generation.seen':
        await term.checkGeneration();
        return ok;
      case 'partitions.giveUp':
        return this.#giveUp(term, from, checkedGiveUp(decodeJson(body)));
      case 'admin':
        return this.#admin(term, checkedAdmin(decodeJson(body)));
      default:
        return badRequest(`${method} is no call to the leader`);
    }
  }

  /** What isn't leased to the asker any more is no matter: somebody else reads it already. */
  async #giveUp(term: LeaderTerm, from: NodeId, { session: asked, partitions }: GiveUpRequest): Promise<LeaderReply> {
    const session = this.#ownSession(from, asked);
    for (const { topicId, partition, epoch } of partitions) {
      const command = { kind: 'releasePartition', session, topicId, partition, epoch: epoch as LeaseEpoch } as const;
      const decision = term.decide(command);
      if (decision.ok && decision.records.length > 0) await term.propose(decision.records);
    }
    return ok;
  }

  async #open(term: LeaderTerm, from: NodeId, request: SessionOpenRequest, atMs: number): Promise<LeaderReply> {
    const { member, uuid, counter, addresses, version, crashes = [] } = request;
    const says = checkedSays(request);
    const isText = (value: unknown) => typeof value === 'string';
    if (!Array.isArray(addresses) || addresses.length === 0 || ![uuid, version, ...addresses].every(isText))
      return badRequest('addresses, uuid and version of a session are texts');
    if (!Array.isArray(crashes)) return badRequest('the crashes of a session are a list');
    if (typeof member !== 'string' || nodeOfMember(member) !== from)
      return badRequest(`${member} is no member of ${from}`);
    const standing = () => standingOf(this.#options.driver.members(), member);
    if (standing() === 'member') {
      const missing = this.#whatIsMissing(term, member, atMs, says);
      if (missing !== null) return missing;
    }
    // Before it is given anything again. Members may change meanwhile, so where it stands is looked up anew.
    if (crashes.length > 0 && standing() === 'member') await term.noteCrashes(from, crashes);
    if (standing() === 'removed') return { code: 'REFUSED', reason: 'REMOVED', text: removedText(member) };
    if (standing() === 'unknown') return { code: 'RETRY', text: `${member} hasn't joined yet` };
    const shards = addresses.length - 1;
    const decision = term.decide({ kind: 'openSession', nodeId: from, uuid, counter, shards, addresses, version });
    if (decision.ok) return { ...ok, session: await term.propose(decision.records) } as LeaderReply;
    const { refusal } = decision;
    if (refusal.code !== 'STALE_INCARNATION' || refusal.counter !== counter) return refusalReply(refusal);
    // This very incarnation: its first request's answer was lost, or is still to come.
    const known = this.#options.table.node(from);
    if (known?.counter !== counter) return { code: 'RETRY', text: 'the session is being opened' };
    if (known.session === 0) return refusalReply({ code: 'SESSION_OVER', session: known.session });
    if (sessionOpenedBy(this.#options.table, from, request) !== known.session) {
      const text = `start ${counter} of this data folder has a session at other addresses: one of the two is a copy`;
      return { code: 'REFUSED', reason: 'SUPERSEDED', text };
    }
    const renewal = await this.#renew(term, known.session, atMs, says);
    return renewal.code === 'OK' ? ({ ...ok, session: known.session } as LeaderReply) : renewal;
  }

  async #renew(
    term: LeaderTerm,
    session: SessionId,
    receivedAtMs: number,
    says: NodeSays,
  ): Promise<LeaderReply<RenewAnswer>> {
    await term.confirm();
    const refusal = term.renewed(session, receivedAtMs, says);
    return refusal === null ? { ...ok, index: this.#options.table.tableIndex } : refusalReply(refusal);
  }

  /** Why a node can't be given anything yet: it has no log to hold by, or can't do its work. Null when it can. */
  #whatIsMissing(term: LeaderTerm, member: string, atMs: number, says: NodeSays): LeaderReply | null {
    const { id, progress, lastIndex } = this.#options.driver.status();
    if (member !== id && !promotable(progress.get(member), lastIndex, lagEntriesMax)) {
      return { code: 'RETRY', text: `${member} doesn't have the log yet` };
    }
    const refusal = term.mayNotOpen(nodeOfMember(member), atMs, says);
    return refusal === null ? null : refusalReply(refusal);
  }

  /** All shards of a call share one entry: grants only, no unit twice, since the coordinator sees its own proposals. */
  async #acquire(term: LeaderTerm, from: NodeId, request: UnitsRequest): Promise<LeaderReply> {
    const session = this.#ownSession(from, request.session);
    const records: LeaseRecord[] = [];
    let refusal: LeaseRefusal | null = null;
    for (const { shard, units } of request.shards) {
      for (let at = 0; at < units.length; at += 2 * unitsPerRecordMax) {
        const part = units.subarray(at, at + 2 * unitsPerRecordMax);
        const decision = term.decide({ kind: 'acquire', session, shard: shard as ShardIndex, units: part });
        if (decision.ok) records.push(...decision.records);
        else refusal = decision.refusal;
      }
    }
    if (records.length === 0 && refusal !== null) return refusalReply(refusal);
    return { ...ok, index: await term.propose(records) } as LeaderReply;
  }

  async #endUnits(
    term: LeaderTerm,
    from: NodeId,
    request: UnitsRequest,
    kind: 'release' | 'endFaulty',
  ): Promise<LeaderReply> {
    const session = this.#ownSession(from, request.session);
    const proposals: Promise<number>[] = [];
    let refusal: LeaseRefusal | null = null;
    for (const { units } of request.shards) {
      for (let at = 0; at < units.length; at += 4 * unitsPerRecordMax) {
        const part = unitsAndEpochs(units.subarray(at, at + 4 * unitsPerRecordMax));
        const decision = term.decide({ kind, session, ...part });
        if (decision.ok) proposals.push(term.propose(decision.records));
        else refusal = decision.refusal;
      }
    }
    const indexes = await Promise.all(proposals);
    if (indexes.length === 0 && refusal !== null) return refusalReply(refusal);
    return { ...ok, index: Math.max(0, ...indexes) } as LeaderReply;
  }

  async #move(term: LeaderTerm, from: NodeId, request: MoveRequest): Promise<LeaderReply> {
    const session = this.#ownSession(from, request.session);
    const to: ShardRef = { session: sessionId(request.to.session), shard: request.to.shard as ShardIndex };
    const proposals: Promise<number>[] = [];
    let refusal: LeaseRefusal | null = null;
    for (const { units } of request.shards) {
      for (let at = 0; at < units.length; at += 4 * unitsPerRecordMax) {
        const part = unitsAndEpochs(units.subarray(at, at + 4 * unitsPerRecordMax));
        const decision = term.decide({ kind: 'move', session, ...part, to });
        if (decision.ok) proposals.push(term.propose(decision.records));
        else refusal = decision.refusal;
      }
    }
    const indexes = await Promise.all(proposals);
    if (indexes.length === 0 && refusal !== null) return refusalReply(refusal);
    return { ...ok, index: Math.max(0, ...indexes) } as LeaderReply;
  }

  async #admin(term: LeaderTerm, request: AdminRequest): Promise<LeaderReply> {
    switch (request.kind) {
      case 'forceRelease':
        return this.#settle(term, term.decide(request));
      case 'forgetNode':
        return this.#settle(term, term.decide({ kind: 'forgetNode', nodeId: request.nodeId as NodeId }));
      case 'stopNode':
        return this.#stopper.stop(term, request.nodeId as NodeId);
      case 'setDraining': {
        const { nodeId, draining } = request;
        return this.#settle(term, term.decide({ kind: 'setDraining', nodeId: nodeId as NodeId, draining }));
      }
      case 'moveUnit':
        return this.#moveUnit(term, request);
      case 'liftQuarantine': {
        const { quarantine } = this.#options.table;
        const known = quarantine.of(request.hi, request.lo);
        const before = await term.inputEnds();
        if (before === null) return { code: 'RETRY', text: 'the log does not say where its topics end' };
        // Released and buried again meanwhile: these ends are too early for what is in letters by now.
        if (quarantine.of(request.hi, request.lo) !== known) return { code: 'RETRY', text: 'it has changed meanwhile' };
        return this.#settle(term, term.decide({ ...request, before }));
      }
      case 'replaceTopic':
        return term.replaceTopic(request.topic);
      case 'removeMember':
        return this.#options.members()?.remove(request.nodeId as NodeId) ?? this.#notLeader();
      case 'transferLeader': {
        if (this.#options.table.node(request.to as NodeId)?.draining)
          return badRequest(`node ${request.to} is draining`);
        const result = await this.#options.driver.transferLeadership(request.to as NodeId);
        return result.ok ? ok : badRequest(result.code);
      }
      default:
        return badRequest('unknown request');
    }
  }

  /** Has a unit's holder hand it over. Answers when the holder has taken the order, not when it is done. */
  async #moveUnit(term: LeaderTerm, request: Extract<AdminRequest, { kind: 'moveUnit' }>): Promise<LeaderReply> {
    const { table } = this.#options;
    const { hi, lo } = request;
    const lease = table.get(hi, lo);
    if (lease === null) return badRequest('nobody holds this user now; its next record finds it a holder');
    const target = [...table.sessions()].find(({ nodeId }) => nodeId === request.nodeId);
    if (target === undefined) return badRequest(`no node ${request.nodeId} is live`);
    if (target.closing || table.isDraining(target.session)) return badRequest(`node ${request.nodeId} is draining`);
    if (request.shard !== null && request.shard >= target.shards) {
      return badRequest(`node ${request.nodeId} has ${target.shards} shards, numbered from 0`);
    }
    const isThere = lease.session === target.session && (request.shard === null || lease.shard === request.shard);
    const loadOf = (shard: number): number => table.load(target.session, shard as ShardIndex);
    const least = Array.from({ length: target.shards }, (_, i) => i).sort((a, b) => loadOf(a) - loadOf(b) || a - b)[0]!;
    const to = { session: target.session, shard: isThere ? lease.shard : (request.shard ?? least) };
    const answer = {
      from: { nodeId: lease.nodeId, shard: lease.shard },
      to: { nodeId: target.nodeId, shard: to.shard },
    };
    if (isThere) return { ...ok, ...answer } as LeaderReply;
    const unit = { hi, lo, to };
    const taken = await term.handOver({ session: lease.session, shard: lease.shard, unit });
    if (!taken) return { code: 'RETRY', text: `node ${lease.nodeId}, which holds it, can't be reached` };
    return { ...ok, ...answer } as LeaderReply;
  }

  async #settle(term: LeaderTerm, decision: LeaseDecision): Promise<LeaderReply> {
    if (!decision.ok) return refusalReply(decision.refusal);
    return { ...ok, index: await term.propose(decision.records) } as LeaderReply;
  }

  /** A node may speak for its own session only: another's would let it end, or keep alive, what isn't its own. */
  #ownSession(from: NodeId, session: number): SessionId {
    const info = this.#options.table.session(session as SessionId);
    if (info !== undefined && info.nodeId !== from) {
      throw new ByteFormatError(`session ${session} is ${info.nodeId}'s, not ${from}'s`);
    }
    return session as SessionId;
  }

  #notLeader(): LeaderReply {
    const { leader, role } = this.#options.driver.leadership;
    // A leader that isn't ready yet names nobody: the asker waits and asks again.
    return { code: 'NOT_LEADER', leader: role === 'leader' ? null : leader };
  }
}

/** From hi, lo, epochHi, epochLo quadruples. */
function unitsAndEpochs(quadruples: Uint32Array) {
  const count = Math.floor(quadruples.length / 4);
  const units = new Uint32Array(2 * count);
  const epochs = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    units[2 * i] = quadruples[4 * i]!;
    units[2 * i + 1] = quadruples[4 * i + 1]!;
    epochs[i] = quadruples[4 * i + 2]! * 2 ** 32 + quadruples[4 * i + 3]!;
  }
  return { units, epochs };
}

function refusalReply(refusal: LeaseRefusal): LeaderReply {
  const text = JSON.stringify(refusal);
  switch (refusal.code) {
    case 'NODE_ID_TAKEN':
      return { code: 'REFUSED', reason: 'NODE_ID_TAKEN', text: nameTakenText(refusal.nodeId) };
    case 'STALE_INCARNATION':
      return { code: 'REFUSED', reason: 'SUPERSEDED', text };
    case 'SESSION_OVER':
      return { code: 'REFUSED', reason: 'SESSION_OVER', text };
    case 'NOT_FOUNDED':
    case 'NO_SHARD':
    case 'TABLE_FULL':
    case 'STALE_GENERATION':
      return { code: 'RETRY', text };
    case 'TABLE_BEHIND': {
      const { tableIndex, floor } = refusal;
      return {
        code: 'RETRY',
        text: `the log does not reach the node: its table is at ${tableIndex}, it needs ${floor}`,
      };
    }
    case 'SERVICE_AWAY': {
      const { service, silentMs } = refusal;
      return {
        code: 'RETRY',
        lacks: service,
        text: `the ${service === 'log' ? 'input log' : 'store'} has not answered the node for ${Math.round(silentMs / 1_000)} s, and others have it`,
      };
    }
    default:
      return badRequest(text);
  }
}
