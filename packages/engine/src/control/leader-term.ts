import {
  type CrashNote,
  encodeRecords,
  type LeaseCommand,
  LeaseCoordinator,
  type LeaseDecision,
  type LeaseOptions,
  type LeaseRecord,
  type LeaseRefusal,
  type LeaseTable,
  type NodeSays,
  type PartitionEnd,
} from '@holdfast/lease';
import { errorText, formatUnit, type Logger, type NodeId, type SessionId, sessionId } from '@holdfast/model';
import type { BackupStore } from '../ports/backup-store.ts';
import type { Log } from '../ports/log.ts';
import type { Timers } from '../ports/timers.ts';
import { Balancing } from './balancing.ts';
import type { LeaderReply } from './calls.ts';
import type { CrashWatch } from './crash-watch.ts';
import { epochBaseOf } from './epoch-base.ts';
import { type LeaderProblem, LeaderProblems } from './leader-problems.ts';
import { LeaderTopics } from './leader-topics.ts';
import type { HandOverRequest } from './move-calls.ts';
import type { RaftDriver } from './raft-driver.ts';
import { RaftDriverError } from './raft-driver-error.ts';

/** How often the leader looks at the topics it assigns, and retries what the store or log refused. */
export const topicLookMs = 5_000;
export const storeRetryMs = 1_000;
/** How often the leader looks whether the store is still the one that the log knows: an idle cluster hears of it no other way. */
export const storeLookMs = 5_000;
/**
 * A quorum round at least so often: after a stall the leader ends no session before a round that was begun since has
 * told it that it still leads.
 */
const quorumRoundMs = 1_000;

export interface LeaderTermOptions {
  readonly table: LeaseTable;
  readonly lease: LeaseOptions;
  readonly driver: RaftDriver;
  readonly store: Pick<BackupStore, 'generationId' | 'adopt' | 'highestEpoch'>;
  readonly log: Pick<Log, 'describe' | 'endOffsets' | 'highestFence'>;
  /** Input topics of the jobs. */
  readonly topics: readonly string[];
  readonly timers: Timers;
  readonly logger: Logger;
  /** A node is unreachable or a rollout is under way: nothing is moved for balance. */
  readonly balancingPaused: () => boolean;
  /** Led by this term: says whose process is gone. */
  readonly crashes: Pick<CrashWatch, 'lead' | 'end'>;
  /** Tells a node what one of its shards shall hand over. True when the node has taken it. */
  readonly handOver: (nodeId: NodeId, request: HandOverRequest) => Promise<boolean>;
  /** Tells a node's process to stop. */
  readonly leave: (nodeId: NodeId) => Promise<void>;
}

const aboutStore = { about: 'store', topic: null } as const;

/** The lease service has refused what the store was found to be. */
class Refused extends Error {
  override readonly name = 'Refused';
  readonly refusal: LeaseRefusal;

  constructor(refusal: LeaseRefusal) {
    super(JSON.stringify(refusal));
    this.refusal = refusal;
  }
}

/**
 * The duties of one leadership: founding the cluster, the coordinator's ticks, topics, and everything proposed.
 * Made when the leader has applied an entry of its own term, thrown away with the leadership: nothing here is
 * needed by the next leader.
 */
export class LeaderTerm {
  readonly term: number;
  readonly #options: LeaderTermOptions;
  readonly #coordinator: LeaseCoordinator;
  readonly #balancing: Balancing;
  readonly #problems = new LeaderProblems();
  readonly #topics: LeaderTopics;
  #isOver = false;
  #cancelTick: () => void = () => {};
  #tickDueMs = 0;
  #quorumConfirmedAtMs: number;
  #roundBegunAtMs = Number.NEGATIVE_INFINITY;
  #confirming: Promise<void> | null = null;
  #nextStoreMs = Number.NEGATIVE_INFINITY;
  #nextTopicsMs = Number.NEGATIVE_INFINITY;
  #storeBusy = false;
  /** The store has been asked to note the generation that the log is at. */
  #isNoted = false;

  constructor(options: LeaderTermOptions) {
    this.#options = options;
    const nowMs = options.timers.monotonicMs();
    this.term = options.driver.leadership.term;
    this.#coordinator = new LeaseCoordinator(options.table, options.lease, nowMs);
    this.#balancing = new Balancing(options.table, this.#coordinator);
    this.#topics = new LeaderTopics({
      ...options,
      problems: this.#problems,
      isOver: () => this.#isOver,
      decide: (command) => this.decide(command),
      propose: (records) => this.propose(records),
    });
    this.#quorumConfirmedAtMs = nowMs;
    this.#scheduleTick(0);
    options.crashes.lead((session) => this.#endGone(session));
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** The cluster has an epoch base and a store generation: sessions and units may be given. */
  get isFounded(): boolean {
    return this.#options.table.epochBase >= 0 && this.#options.table.generation > 0;
  }

  /** What an operator has to know. */
  get problems(): LeaderProblem[] {
    return this.#problems.list(this.#options.timers.monotonicMs());
  }

  get balancing(): Balancing['state'] {
    return this.#balancing.state;
  }

  end(): void {
    this.#isOver = true;
    this.#cancelTick();
    this.#options.crashes.end();
  }

  decide(command: LeaseCommand): LeaseDecision {
    return this.#coordinator.decide(command, this.#options.timers.monotonicMs());
  }

  onEntry(index: number, records: readonly LeaseRecord[]): void {
    this.#coordinator.onApplied(index, records, this.#options.timers.monotonicMs());
    this.#balancing.onEntry(records);
  }

  /** Null: renewed. */
  renewed(session: SessionId, receivedAtMs: number, says: NodeSays): LeaseRefusal | null {
    return this.#coordinator.renewed(session, receivedAtMs, says);
  }

  /** Null when a node that has no session yet gets the log, and can do its work. */
  mayNotOpen(nodeId: NodeId, nowMs: number, says: NodeSays): LeaseRefusal | null {
    return this.#coordinator.unfit(nodeId, nowMs, says);
  }

  /**
   * Proposes records as one entry; resolves with its index once applied here, or the table's if there is nothing to
   * propose. Call it in the same turn as the decision, so that the log has the order of decisions.
   * @throws RaftDriverError
   */
  async propose(records: readonly LeaseRecord[]): Promise<number> {
    if (records.length === 0) return this.#options.table.tableIndex;
    try {
      return (await this.#options.driver.propose(encodeRecords(records))).index;
    } catch (error) {
      // Also what can't be encoded: it would be on its way for as long as this term lasts.
      const isUnproposed = !(error instanceof RaftDriverError) || error.code === 'FULL' || error.code === 'NOT_LEADER';
      if (isUnproposed) this.#coordinator.onDropped(records);
      throw error;
    }
  }

  /** Resolves when a quorum round begun after the call has proven that this is still the leader. @throws RaftDriverError */
  async confirm(): Promise<void> {
    const begunAtMs = this.#options.timers.monotonicMs();
    await this.#options.driver.readBarrier();
    if (this.#isOver || this.#options.driver.leadership.term !== this.term) {
      throw new RaftDriverError('NOT_LEADER', `leadership of term ${this.term} is over`);
    }
    this.#quorumConfirmedAtMs = Math.max(this.#quorumConfirmedAtMs, begunAtMs);
  }

  /** A shard saw another generation: asks the own store, and logs what it says (PROTOCOL.md 5.8). */
  async checkGeneration(): Promise<void> {
    if (this.#storeBusy || this.#isOver) return;
    this.#storeBusy = true;
    const { store, log, table, logger, timers } = this.#options;
    try {
      if (table.epochBase < 0) {
        const base = await epochBaseOf(store, log);
        await this.#decideAndPropose({ kind: 'found', base });
        logger.info('cluster founded', { epochBase: base });
      }
      const knownNumber = table.generation;
      const current = table.storeGeneration;
      const storeGeneration = await store.generationId();
      const isNoted = storeGeneration === current && this.#isNoted;
      const continues = isNoted || (await this.#continues(storeGeneration, current));
      // Once is enough: also of a store that the log took before there were notes.
      this.#isNoted = storeGeneration === current;
      await this.#decideAndPropose({ kind: 'reportGeneration', storeGeneration, knownNumber, continues });
      if (this.#problems.end(aboutStore)) logger.info('the store can be used again');
    } catch (error) {
      const code = error instanceof Refused ? error.refusal.code : 'FAILED';
      const isNew = this.#problems.begin({ ...aboutStore, code, text: errorText(error) }, timers.monotonicMs());
      if (isNew) logger.warn('the store can not be used', { code, err: error });
    } finally {
      this.#storeBusy = false;
      const waitMs = this.#problems.has(aboutStore) ? storeRetryMs : storeLookMs;
      this.#nextStoreMs = this.#options.timers.monotonicMs() + waitMs;
    }
  }

  async #continues(storeGeneration: string, current: string): Promise<boolean> {
    const { store, table, logger } = this.#options;
    // Refused anyway: nothing is to be noted there.
    if (table.isFormerGeneration(storeGeneration)) return false;
    const answer = await store.adopt(storeGeneration, current);
    if (answer.code !== 'OK') throw new Error(`the store has become ${answer.generationId} meanwhile`);
    const continues = current === '' || answer.results[0] === true;
    if (continues) return true;
    logger.warn('the store is of another history: all sessions end, and begin anew from what it has');
    const { quarantinedCount: users } = table.quarantine;
    if (users > 0)
      logger.warn('users in quarantine: what was buried until now may be in their states as well', { users });
    return false;
  }

  async #decideAndPropose(command: LeaseCommand): Promise<void> {
    if (this.#isOver) throw new RaftDriverError('NOT_LEADER', `leadership of term ${this.term} is over`);
    const decision = this.decide(command);
    if (decision.ok) await this.propose(decision.records);
    else if (decision.refusal.code !== 'STALE_GENERATION') throw new Refused(decision.refusal);
  }

  /** Notes what crashed a node, and puts into quarantine what did so often enough (PROTOCOL.md 6.3). @throws RaftDriverError */
  async noteCrashes(nodeId: NodeId, crashes: readonly CrashNote[]): Promise<void> {
    const { logger } = this.#options;
    for (const command of [{ kind: 'reportCrashes', nodeId, crashes }, { kind: 'quarantineDue' }] as const) {
      const decision = this.decide(command);
      // Of no weight against the node's session.
      if (!decision.ok) return logger.warn('crash report refused', { node: nodeId, ...decision.refusal });
      for (const record of decision.records) {
        if (record.kind !== 'unitQuarantined') continue;
        const unit = formatUnit(record.hi, record.lo);
        logger.warn('a user is quarantined: one of its records ended the processes of several nodes', { unit });
      }
      await this.propose(decision.records);
    }
  }

  /**
   * Where every partition of the input ends now; null: the log doesn't say. Without a topic that this node's job doesn't
   * read and whose ends the log doesn't tell: it may be gone for good, and the table keeps it.
   */
  async inputEnds(): Promise<PartitionEnd[] | null> {
    const { table, log, logger, topics } = this.#options;
    const ends: PartitionEnd[] = [];
    try {
      for (const { topic, topicId } of [...table.topics()]) {
        const offsets = await log.endOffsets(topic).catch((error: unknown) => {
          if (topics.includes(topic)) throw error;
          logger.warn('ends of a topic that the job does not read are not known: left out', { topic, err: error });
          return [];
        });
        for (const [partition, offset] of offsets.entries()) ends.push({ topicId, partition, offset });
      }
      return ends;
    } catch (error) {
      logger.warn('ends of the input not known', { err: error });
      return null;
    }
  }

  #scheduleTick(delayMs: number): void {
    const { timers } = this.#options;
    this.#tickDueMs = timers.monotonicMs() + delayMs;
    this.#cancelTick = timers.setTimer(delayMs, () => {
      if (this.#isOver) return;
      this.#tick(Math.max(0, timers.monotonicMs() - this.#tickDueMs));
      this.#scheduleTick(this.#options.lease.tickMs);
    });
  }

  #tick(tickLateMs: number): void {
    const { timers, lease, table, balancingPaused } = this.#options;
    const nowMs = timers.monotonicMs();
    this.#confirmNowAndThen(nowMs, tickLateMs);
    // Also when nobody calls the store: what was lost is still in the memory of its holders now.
    if (nowMs >= this.#nextStoreMs) void this.checkGeneration();
    if (!this.isFounded) return;
    if (nowMs >= this.#nextTopicsMs) void this.#lookAtTopics();
    let isSomeoneSilent = false;
    for (const { session } of table.sessions()) {
      if (this.#coordinator.silentForMs(session, nowMs) > 2 * lease.renewEveryMs) isSomeoneSilent = true;
    }
    const input = {
      tickLateMs,
      quorumConfirmedAtMs: this.#quorumConfirmedAtMs,
      balancingPaused: isSomeoneSilent || balancingPaused(),
    };
    for (const records of this.#coordinator.tick(nowMs, input)) {
      for (const record of records) {
        if (record.kind === 'sessionEnded') {
          this.#options.logger.warn('session expired', { session: record.session });
        }
      }
      this.#proposeAlone(records);
    }
    const known = { silent: isSomeoneSilent, unreachable: balancingPaused() };
    for (const { from, moves } of this.#balancing.tick(nowMs, known)) {
      const plan = moves.map(({ to, count }) => ({ ...to, count }));
      void this.handOver({ ...from, plan });
    }
  }

  /** Tells a node's process to stop; false when it can't be reached. */
  async tellToStop(nodeId: NodeId): Promise<boolean> {
    try {
      await this.#options.leave(nodeId);
      return true;
    } catch (error) {
      this.#options.logger.debug('not told to stop', { node: nodeId, err: error });
      return false;
    }
  }

  /** Orders a hand-over; false when the holder's node didn't take the order. */
  async handOver(request: HandOverRequest): Promise<boolean> {
    const info = this.#options.table.session(sessionId(request.session));
    if (info === undefined) return false;
    try {
      return await this.#options.handOver(info.nodeId, request);
    } catch (error) {
      // The next round orders anew.
      this.#options.logger.debug('hand-over not ordered', { node: info.nodeId, err: error });
      return false;
    }
  }

  /** The process of a session is proven gone: its end needn't wait for its time to live. */
  #endGone(session: SessionId): void {
    if (this.#isOver) return;
    const decision = this.decide({ kind: 'endSession', session, reason: 'gone' });
    if (decision.ok) this.#proposeAlone(decision.records);
  }

  #proposeAlone(records: readonly LeaseRecord[]): void {
    this.propose(records).catch((error: unknown) => {
      // A later tick decides anew; after a lost leadership the next leader does.
      this.#options.logger.debug('proposal failed', { err: error });
    });
  }

  #confirmNowAndThen(nowMs: number, tickLateMs: number): void {
    const isLate = tickLateMs > this.#options.lease.lateTicksMax * this.#options.lease.tickMs;
    if (this.#confirming !== null && !isLate) return;
    if (nowMs - this.#roundBegunAtMs < quorumRoundMs && !isLate) return;
    this.#roundBegunAtMs = nowMs;
    const round = this.confirm()
      .catch(() => {})
      .finally(() => {
        if (this.#confirming === round) this.#confirming = null;
      });
    this.#confirming = round;
  }

  async #lookAtTopics(): Promise<void> {
    if (await this.#topics.look()) this.#nextTopicsMs = this.#options.timers.monotonicMs() + topicLookMs;
  }

  /** An operator consents to a topic made anew. */
  replaceTopic(topic: string): Promise<LeaderReply> {
    return this.#topics.replace(topic);
  }
}
