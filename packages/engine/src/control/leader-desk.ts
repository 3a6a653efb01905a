import {
  type LeaseDecision,
  type LeaseRecord,
  type LeaseRefusal,
  type LeaseTable,
  unitsPerRecordMax,
} from '@holdfast/lease';
import { ByteFormatError, type LeaseEpoch, type NodeId, type SessionId, type ShardIndex } from '@holdfast/model';
import type { Timers } from '../ports/timers.ts';
import {
  type AdminRequest,
  type CallMethod,
  decodeJson,
  decodeUnits,
  type GiveUpRequest,
  type LeaderReply,
  type SessionOpenRequest,
  type SessionRequest,
  type UnitsRequest,
} from './calls.ts';
import type { LeaderTerm } from './leader-term.ts';
import type { RaftDriver } from './raft-driver.ts';
import { RaftDriverError } from './raft-driver-error.ts';

export interface LeaderDeskOptions {
  readonly table: LeaseTable;
  readonly driver: RaftDriver;
  readonly timers: Timers;
  /** The present leadership of this node, if any. */
  readonly term: () => LeaderTerm | null;
}

const ok = { code: 'OK' } as const;

/** Answers what nodes ask of the leader: checks who asks, decides, proposes, and answers once the entry is applied. */
export class LeaderDesk {
  readonly #options: LeaderDeskOptions;

  constructor(options: LeaderDeskOptions) {
    this.#options = options;
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
      if (error instanceof ByteFormatError) return { code: 'REFUSED', reason: 'BAD_REQUEST', text: error.message };
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
        return this.#open(term, from, decodeJson<SessionOpenRequest>(body), receivedAtMs);
      case 'session.renew':
        return this.#renew(term, this.#ownSession(from, decodeJson<SessionRequest>(body).session), receivedAtMs);
      case 'session.closing': {
        const session = this.#ownSession(from, decodeJson<SessionRequest>(body).session);
        return this.#settle(term, term.decide({ kind: 'markClosing', session }));
      }
      case 'session.end': {
        const session = this.#ownSession(from, decodeJson<SessionRequest>(body).session);
        return this.#settle(term, term.decide({ kind: 'endSession', session, reason: 'clean' }));
      }
      case 'units.acquire':
        return this.#acquire(term, from, decodeUnits(body));
      case 'units.release':
        return this.#release(term, from, decodeUnits(body));
      case 'generation.seen':
        await term.checkGeneration();
        return ok;
      case 'partitions.giveUp':
        return this.#giveUp(term, from, decodeJson<GiveUpRequest>(body));
      case 'admin':
        return this.#admin(term, decodeJson<AdminRequest>(body));
      default:
        return { code: 'REFUSED', reason: 'BAD_REQUEST', text: `${method} is no call to the leader` };
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
    const { uuid, counter, addresses, version } = request;
    const shards = addresses.length - 1;
    const decision = term.decide({ kind: 'openSession', nodeId: from, uuid, counter, shards, addresses, version });
    if (decision.ok) return { ...ok, session: await term.propose(decision.records) } as LeaderReply;
    const { refusal } = decision;
    if (refusal.code !== 'STALE_INCARNATION' || refusal.counter !== counter) return refusalReply(refusal);
    // This very incarnation: its first request's answer was lost, or is still to come.
    const known = this.#options.table.node(from);
    if (known?.counter !== counter) return { code: 'RETRY', text: 'the session is being opened' };
    if (known.session === 0) return refusalReply({ code: 'SESSION_OVER', session: known.session });
    const renewal = await this.#renew(term, known.session, atMs);
    return renewal.code === 'OK' ? ({ ...ok, session: known.session } as LeaderReply) : renewal;
  }

  async #renew(term: LeaderTerm, session: SessionId, receivedAtMs: number): Promise<LeaderReply> {
    await term.confirm();
    return term.renewed(session, receivedAtMs) ? ok : refusalReply({ code: 'SESSION_OVER', session });
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

  async #release(term: LeaderTerm, from: NodeId, request: UnitsRequest): Promise<LeaderReply> {
    const session = this.#ownSession(from, request.session);
    const proposals: Promise<number>[] = [];
    let refusal: LeaseRefusal | null = null;
    for (const { units } of request.shards) {
      for (let at = 0; at < units.length; at += 4 * unitsPerRecordMax) {
        const decision = term.decide(releaseCommand(session, units.subarray(at, at + 4 * unitsPerRecordMax)));
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
      case 'replaceTopic':
        await term.replaceTopic(request.topic);
        return ok;
      case 'transferLeader': {
        const result = await this.#options.driver.transferLeadership(request.to as NodeId);
        return result.ok ? ok : { code: 'REFUSED', reason: 'BAD_REQUEST', text: result.code };
      }
      default:
        return { code: 'REFUSED', reason: 'BAD_REQUEST', text: 'unknown request' };
    }
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

function releaseCommand(session: SessionId, quadruples: Uint32Array) {
  const count = Math.floor(quadruples.length / 4);
  const units = new Uint32Array(2 * count);
  const epochs = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    units[2 * i] = quadruples[4 * i]!;
    units[2 * i + 1] = quadruples[4 * i + 1]!;
    epochs[i] = quadruples[4 * i + 2]! * 2 ** 32 + quadruples[4 * i + 3]!;
  }
  return { kind: 'release' as const, session, units, epochs };
}

function refusalReply(refusal: LeaseRefusal): LeaderReply {
  const text = JSON.stringify(refusal);
  switch (refusal.code) {
    case 'NODE_ID_TAKEN':
      return { code: 'REFUSED', reason: 'NODE_ID_TAKEN', text };
    case 'STALE_INCARNATION':
      return { code: 'REFUSED', reason: 'SUPERSEDED', text };
    case 'SESSION_OVER':
      return { code: 'REFUSED', reason: 'SESSION_OVER', text };
    case 'NOT_FOUNDED':
    case 'NO_SHARD':
    case 'TABLE_FULL':
    case 'STALE_GENERATION':
      return { code: 'RETRY', text };
    default:
      return { code: 'REFUSED', reason: 'BAD_REQUEST', text };
  }
}
