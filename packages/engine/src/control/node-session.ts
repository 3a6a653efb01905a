import { type NodeSays, type SessionEndReason, SessionKeeper, TableFloor } from '@holdfast/lease';
import { type SessionId, sessionId } from '@holdfast/model';
import { defaultRecordLimits } from '@holdfast/processor';
import { within } from '../ports/timers.ts';
import { SessionProof } from '../session-proof.ts';
import type { HeldBack, HotUnit, LeasedPartition } from '../shard-messages.ts';
import {
  encodeJson,
  encodeUnits,
  type GiveUpRequest,
  isEndingReason,
  type LeaderReply,
  type RenewAnswer,
  type RenewRequest,
  type SessionOpenRequest,
  type ShardUnits,
} from './calls.ts';
import type { TableChange } from './lease-state-machine.ts';
import { encodeMove, type HandOverRequest, MoveBatches, type ShardName } from './move-calls.ts';
import type { NodeIncarnation, NodeSessionOptions, NodeSessionState } from './node-session-options.ts';
import { ShardLinks } from './shard-links.ts';
import type { ShardPort } from './shard-port.ts';
import { TableRoom } from './table-room.ts';
import { sessionOpenedBy } from './table-views.ts';
import { UnitsBatch } from './units-batch.ts';

/** How often the session looks at its clock: the error of "stop at 9 s". */
const pulseMs = 100;
/** A renewal without an answer by then has failed. */
export const renewDeadlineMs = 1_500;
const openTryMs = 3_000;
const unitsDeadlineMs = 5_000;
/** Ends just before shards repeat what they still need. */
const unitsRepeatMs = 0.9 * Math.min(defaultRecordLimits.acquireRetryMs, defaultRecordLimits.releaseRetryMs);

type UnitsMethod = 'units.acquire' | 'units.release' | 'units.faulty';

/**
 * One incarnation's session from the node's side: opened once all shards listen, renewed while they make progress,
 * given up when it can't be proven alive for 9 s counted from sending. Lives once: after a loss the node makes new
 * shards and a new session under a higher counter.
 */
export class NodeSession {
  readonly #options: NodeSessionOptions;
  readonly #links: ShardLinks;
  readonly #keeper: SessionKeeper;
  readonly #acquires: UnitsBatch;
  readonly #releases: UnitsBatch;
  readonly #moves: MoveBatches;
  readonly #faulty: UnitsBatch;
  readonly #room: TableRoom;
  readonly #proof = new SessionProof();
  /** Of what the leader said with its answers. */
  readonly #floor: TableFloor;
  #state: NodeSessionState = 'waiting';
  #session: SessionId = sessionId(0);
  /** When the answer that named the session, or confirmed it, was asked for. */
  #confirmedAtMs = 0;
  #openRequest: SessionOpenRequest | null = null;
  #isAsking = false;
  /** The last try, if any. */
  #openTry: Promise<LeaderReply<{ session: number }>> | null = null;
  #renewedAtMs: number | null = null;
  #isRenewing = false;
  /** Why the last try failed, as far as that is known. */
  #notRenewed = '';
  /** ... was a service that this node lacks. */
  #lacksService = false;
  #isEndAsked = false;
  #endReason: SessionEndReason | null = null;
  #cancelPulse: () => void = () => {};

  constructor(options: NodeSessionOptions) {
    this.#options = options;
    this.#keeper = new SessionKeeper(options.lease);
    this.#floor = new TableFloor(options.lease.sessionTtlMs);
    const { timers } = options;
    this.#room = new TableRoom(options.table, options.lease.unitsMax);
    this.#acquires = new UnitsBatch(timers, 2, (batch) => this.#sendUnits('units.acquire', batch));
    this.#releases = new UnitsBatch(timers, 4, (batch) => this.#sendUnits('units.release', batch));
    this.#faulty = new UnitsBatch(timers, 4, (batch) => this.#sendUnits('units.faulty', batch));
    this.#moves = new MoveBatches(timers, (to, shards) => this.#sendMoves(to, shards));
    this.#links = new ShardLinks(options.shards, options.table, {
      onListening: (addresses) => this.#open(addresses),
      onAcquire: (shard, units) => this.#acquires.add(shard, units),
      onRelease: (shard, units) => this.#releases.add(shard, units),
      onMove: (shard, { session, shard: target }, units) => this.#moves.add({ session, shard: target }, shard, units),
      onFaulty: (shard, units) => this.#faulty.add(shard, units),
      onGenerationSeen: (generationId) => this.#generationSeen(generationId),
      onGiveUp: (partitions) => this.#giveUp(partitions),
      onAnswer: options.onAnswer,
      onFailed: options.onShardFailed,
      barrier: options.barrier,
    });
    this.#pulse();
  }

  get state(): NodeSessionState {
    return this.#state;
  }

  /** 0 before the own table shows it. */
  get session(): SessionId {
    return this.#keeper.session;
  }

  get incarnation(): NodeIncarnation {
    return this.#options.incarnation;
  }

  get shards(): readonly ShardPort[] {
    return this.#options.shards;
  }

  /** When the last confirmed proof of life was asked for; null before the first. */
  get renewedAtMs(): number | null {
    return this.#renewedAtMs;
  }

  /** The table has changed: the session may have appeared, or ended. */
  onChange(change: TableChange): void {
    if (this.#state === 'over') return;
    for (const { session, reason } of change.ended) if (session === this.#session) this.#endReason = reason;
    this.#lookAtTable();
    // After the look: what opened now has told its shards everything.
    this.#links.onChange(change);
  }

  /** Asks the leader to give this session nothing more. */
  async markClosing(totalMs: number): Promise<boolean> {
    if (this.#state !== 'holding') return false;
    this.#state = 'stopping';
    const body = encodeJson({ session: this.session });
    const limits = { totalMs, tryMs: unitsDeadlineMs, stopped: () => this.#state === 'over' };
    return (await this.#options.leaderCalls.ask('session.closing', body, limits)).code === 'OK';
  }

  /** What the leader wants handed over. False when it isn't meant for this session. */
  handOver({ session, shard, plan, unit }: HandOverRequest): boolean {
    if (this.#state !== 'holding' || session !== this.session) return false;
    if (unit === undefined) return plan !== undefined && this.#links.tell(shard, { kind: 'handOver', plan });
    const { hi, lo, to } = unit;
    return this.#links.tell(shard, { kind: 'moveUnit', hi, lo, session: to.session, shard: to.shard });
  }

  /** The units of a shard with most records of late. */
  hot(shard: number): readonly HotUnit[] {
    return this.#links.hot(shard);
  }

  heldBack(shard: number): readonly HeldBack[] {
    return this.#links.heldBack(shard);
  }

  /** True when every shard has backed up and closed all that it held; false when the session was lost before. */
  stopShards(): Promise<boolean> {
    return this.#links.stop();
  }

  /** Logs the clean end: only after `stopShards`. True when it is in the log. */
  async end(totalMs: number): Promise<boolean> {
    if (this.#state !== 'stopping') return false;
    this.#isEndAsked = true;
    const body = encodeJson({ session: this.#session });
    const stopped = (): boolean => this.#state === 'over' || this.#endReason !== null;
    const reply = await this.#options.leaderCalls.ask('session.end', body, {
      totalMs,
      tryMs: unitsDeadlineMs,
      stopped,
    });
    const isClean = reply.code === 'OK' || this.#endReason === 'clean';
    this.close();
    return isClean;
  }

  /** Instead of the drain, while the shards don't know of a session yet: it may be in the log all the same. */
  async endUnopened(totalMs: number): Promise<boolean> {
    const { table, nodeId, timers } = this.#options;
    const endMs = timers.monotonicMs() + totalMs;
    this.#state = 'stopping';
    // The leader may open it after this: it would keep what it is given until its time to live is over.
    const reply = this.#openTry === null ? null : await within(timers, totalMs, this.#openTry);
    if (reply !== 'late' && reply?.code === 'OK') this.#session = sessionId(reply.session);
    else if (this.#openRequest !== null) this.#session = sessionOpenedBy(table, nodeId, this.#openRequest);
    if (this.#session !== 0) return this.end(endMs - timers.monotonicMs());
    this.close();
    return reply !== 'late' && !(reply?.code === 'RETRY' && reply.unanswered);
  }

  /** Ends everything here at once; no callback comes any more. */
  close(): void {
    this.#state = 'over';
    this.#proof.end();
    this.#cancelPulse();
    this.#acquires.clear();
    this.#releases.clear();
    this.#moves.clear();
    this.#faulty.clear();
    this.#links.close();
  }

  #lose(reason: string): void {
    if (this.#state === 'over') return;
    this.close();
    if (this.#lacksService) this.#options.services?.sessionLost();
    this.#options.logger.warn('session lost', { session: this.#session, reason });
    this.#options.onLost(reason);
  }

  #open(addresses: readonly string[]): void {
    if (this.#state !== 'waiting') return;
    this.#state = 'opening';
    const { member, incarnation, version, peerAddress } = this.#options;
    const crashes = this.#options.crashes?.pending ?? [];
    this.#openRequest = {
      member,
      ...incarnation,
      version,
      addresses: [peerAddress, ...addresses],
      ...(crashes.length > 0 ? { crashes } : {}),
    };
    void this.#askToOpen();
  }

  /** Asks until the leader has answered. A session that was opened for this incarnation before is renewed by it. */
  async #askToOpen(): Promise<void> {
    if (this.#isAsking) return;
    this.#isAsking = true;
    const { leaderCalls, timers, logger, services } = this.#options;
    const aPulse = (): Promise<void> => new Promise((resolve) => void timers.setTimer(pulseMs, resolve));
    if (services?.isSteady() === false) logger.info('no session is asked for before log and store answer steadily');
    while (this.#state === 'opening') {
      // Who lost one for want of a service would lose the next one soon, if the service comes and goes.
      if (services?.isSteady() === false) {
        await aPulse();
        continue;
      }
      // The proof of life counts from the sending of the try that was answered, so each try is an ask of its own.
      const askedAtMs = timers.monotonicMs();
      const limits = { totalMs: openTryMs, tryMs: openTryMs, stopped: () => this.#state !== 'opening' };
      const body = encodeJson({ ...this.#openRequest, ...this.#says() });
      this.#openTry = leaderCalls.ask('session.open', body, limits);
      const reply = await this.#openTry;
      if (this.#state !== 'opening') break;
      if (reply.code === 'OK') {
        this.#isAsking = false;
        this.#crashesTold();
        this.#session = sessionId(reply.session);
        this.#confirmedAtMs = askedAtMs;
        this.#lookAtTable();
        return;
      }
      if (reply.code === 'REFUSED') return this.#refused(reply);
      logger.info('session not open yet', {
        answer: reply.code,
        ...(reply.code === 'RETRY' ? { text: reply.text } : {}),
      });
      await aPulse();
    }
  }

  #says(): NodeSays {
    const { table, services } = this.#options;
    const { tableIndex } = table;
    return services === undefined ? { tableIndex } : { tableIndex, services: services.say() };
  }

  /** What isn't remembered as told is told again, and is void then: no reason to end the node. */
  #crashesTold(): void {
    try {
      this.#options.crashes?.told();
    } catch (error) {
      this.#options.logger.warn('not remembered which crashes the leader knows', { err: error });
    }
  }

  #refused({ reason, text }: Extract<LeaderReply, { code: 'REFUSED' }>): void {
    if (isEndingReason(reason)) {
      this.close();
      this.#options.onRefused(reason, text);
    } else this.#lose(`the leader refused: ${text}`);
  }

  #lookAtTable(): void {
    const { table, nodeId, incarnation } = this.#options;
    const known = table.node(nodeId);
    if (known !== undefined && known.uuid === incarnation.uuid && known.counter > incarnation.counter) {
      this.close();
      this.#options.onRefused('SUPERSEDED', `incarnation ${known.counter} of this data folder has begun`);
      return;
    }
    if (this.#session === 0 || this.#state === 'waiting' || this.#state === 'over') return;
    const isThere = table.session(this.#session) !== undefined;
    if (isThere && this.#state === 'opening') {
      // A table that lags may show the session when it is over already: hold on fresh proof only.
      if (this.#options.timers.monotonicMs() - this.#confirmedAtMs >= this.#options.lease.holderStopMs) {
        void this.#askToOpen();
        return;
      }
      this.#state = 'holding';
      this.#keeper.opened(this.#session, this.#confirmedAtMs);
      this.#renewedAtMs = this.#confirmedAtMs;
      this.#links.noteRenewal();
      this.#proof.extend(this.#confirmedAtMs + this.#options.lease.holderStopMs);
      this.#links.open(this.#session, this.#proof.buffer);
      this.#options.logger.info('session open', { session: this.#session });
    } else if (!isThere && table.tableIndex >= this.#session && !this.#isEndAsked) {
      this.#keeper.ended();
      this.#lose(`the log shows its end: ${this.#endReason ?? 'unknown'}`);
    }
  }

  #pulse(): void {
    const { timers } = this.#options;
    this.#cancelPulse = timers.setTimer(pulseMs, () => {
      this.#pulse();
      this.#beat(timers.monotonicMs());
    });
  }

  #beat(nowMs: number): void {
    if (this.#state !== 'holding' && this.#state !== 'stopping') return;
    if (this.#keeper.state(nowMs) === 'stopped') {
      this.#lose(`not renewed for ${this.#options.lease.holderStopMs} ms: ${this.#whyNotRenewed(nowMs)}`);
      return;
    }
    const room = this.#state === 'holding' ? this.#room.ask(this.session, this.shards.length, nowMs) : null;
    if (room !== null) this.#links.makeRoom(room);
    const maySend = this.#links.haveProgressed && this.#isTableCurrent(nowMs);
    if (!this.#isRenewing && this.#keeper.shouldRenew(nowMs, maySend)) void this.#renew(nowMs);
  }

  /** A node that isn't sent the log can't hold, and keeps others from going on: it has to lose its session. */
  #isTableCurrent(nowMs: number): boolean {
    return this.#options.table.tableIndex >= this.#floor.at(nowMs);
  }

  #whyNotRenewed(nowMs: number): string {
    if (!this.#links.haveProgressed) return 'a shard made no progress';
    if (!this.#isTableCurrent(nowMs)) return 'the log does not reach this node';
    return this.#notRenewed === '' ? 'no leader confirmed it' : `no leader confirmed it: ${this.#notRenewed}`;
  }

  async #renew(sentAtMs: number): Promise<void> {
    this.#isRenewing = true;
    this.#keeper.sent(sentAtMs);
    this.#links.noteRenewal();
    const { leaderCalls, timers, lease } = this.#options;
    const request: RenewRequest = { session: this.session, ...this.#says() };
    const reply = await leaderCalls.once<RenewAnswer>('session.renew', encodeJson(request), renewDeadlineMs);
    this.#isRenewing = false;
    if (this.#state === 'over') return;
    this.#notRenewed = reply.code === 'RETRY' ? reply.text : '';
    this.#lacksService = reply.code === 'RETRY' && reply.lacks !== undefined;
    if (reply.code === 'OK') {
      if (reply.index !== undefined) this.#floor.note(timers.monotonicMs(), reply.index);
      this.#keeper.renewed(sentAtMs);
      this.#proof.extend(sentAtMs + lease.holderStopMs);
      this.#renewedAtMs = sentAtMs;
    } else if (reply.code === 'REFUSED' && reply.reason === 'SESSION_OVER') {
      this.#keeper.ended();
      this.#lose('the leader says that it is over');
    } else this.#keeper.failed(timers.monotonicMs());
  }

  async #sendUnits(method: UnitsMethod, shards: readonly ShardUnits[]): Promise<void> {
    if (!this.#mayAskForUnits()) return;
    const reply = await this.#askForUnits(method, encodeUnits({ session: this.session, shards }));
    if (reply.code !== 'OK') this.#options.logger.debug('units not settled', { method, answer: reply.code });
  }

  async #sendMoves(to: ShardName, shards: readonly ShardUnits[]): Promise<void> {
    if (!this.#mayAskForUnits()) return;
    const reply = await this.#askForUnits('units.move', encodeMove({ to, session: this.session, shards }));
    if (reply.code !== 'OK') this.#options.logger.debug('units not moved', { answer: reply.code });
  }

  #mayAskForUnits(): boolean {
    return this.#state === 'holding' || this.#state === 'stopping';
  }

  #askForUnits(method: UnitsMethod | 'units.move', body: Uint8Array): Promise<LeaderReply> {
    const stopped = () => !this.#mayAskForUnits();
    const limits = { repeatMs: unitsRepeatMs, tryMs: unitsDeadlineMs, stopped };
    return this.#options.leaderCalls.askOnTheMove(method, body, limits);
  }

  #generationSeen(generationId: string): void {
    if (generationId === this.#options.table.storeGeneration) return;
    void this.#options.leaderCalls.once('generation.seen', encodeJson({ generationId }), unitsDeadlineMs);
  }

  #giveUp(leased: readonly LeasedPartition[]): void {
    if (this.#state !== 'holding') return;
    const partitions = leased.map(({ topicId, partition, epoch }) => ({ topicId, partition, epoch }));
    const request: GiveUpRequest = { session: this.session, partitions };
    void this.#options.leaderCalls.once('partitions.giveUp', encodeJson(request), unitsDeadlineMs);
  }
}
