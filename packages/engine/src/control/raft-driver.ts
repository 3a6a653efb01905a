import { assert, type Logger, type NodeId, nodeId, type Rng } from '@holdfast/model';
import { type RaftMessage, type RaftStatus, RawNode, type Ready, type Role, type TransferResult } from '@holdfast/raft';
import type { PeerTransport } from '../ports/peer-transport.ts';
import type { RaftStorage } from '../ports/raft-storage.ts';
import type { Timers } from '../ports/timers.ts';
import { type CompactionRule, defaultCompaction, LogCompaction } from './log-compaction.ts';
import { PendingProposals } from './pending-proposals.ts';
import { PendingReads, type ReadWaiter } from './pending-reads.ts';
import { RaftDriverError } from './raft-driver-error.ts';
import { type RaftMail, RaftMailbox, type RaftMailboxLimits } from './raft-mailbox.ts';
import type { StateMachine } from './state-machine.ts';
import { TickClock } from './tick-clock.ts';

export interface RaftDriverLimits extends RaftMailboxLimits {
  /** Proposals waiting to be stepped, and in the log without an outcome; more are refused as FULL. */
  readonly proposalsMax: number;
  /** Callers of `readBarrier` waiting to be asked for. */
  readonly readsMax: number;
}

export interface RaftDriverTiming {
  readonly tickMs: number;
  /** An election begins after 1 to 2 times this. */
  readonly electionTimeoutTicks: number;
  readonly heartbeatTicks: number;
}

export interface RaftDriverOptions {
  readonly id: NodeId;
  readonly voters: readonly NodeId[];
  readonly storage: RaftStorage;
  readonly transport: Pick<PeerTransport, 'sendRaft'>;
  readonly machine: StateMachine;
  readonly timers: Timers;
  readonly rng: Rng;
  readonly logger: Logger;
  /** Called when role, leader or term changed. */
  readonly onLeadership: (leadership: Leadership) => void;
  /** The disk failed or an invariant broke: the process must end. Called once. */
  readonly onFatal: (error: unknown) => void;
  readonly timing?: Partial<RaftDriverTiming>;
  readonly limits?: Partial<RaftDriverLimits>;
  readonly compaction?: Partial<CompactionRule>;
}

export interface Leadership {
  readonly role: Role;
  readonly leader: NodeId | null;
  readonly term: number;
}

/** An election takes 0.8 to 1.6 s of silence plus a round trip, so a leader change costs no session its 9 s. */
export const defaultTiming: RaftDriverTiming = { tickMs: 100, electionTimeoutTicks: 8, heartbeatTicks: 1 };
export const defaultLimits: RaftDriverLimits = {
  mailboxMessagesMax: 4_096,
  proposalsMax: 4_096,
  readsMax: 10_000,
  ticksMax: 20,
};

const appendBytesMax = 1024 * 1024;
const inflightMessagesMax = 64;
const uncommittedBytesMax = 32 * 1024 * 1024;

/**
 * The one loop around a Raft member: mailbox → step → ready → persist → send → apply → advance.
 *
 * All mail that waits is stepped before one Ready, so whatever came while the disk was busy shares the next write.
 * Messages leave only after the write they may depend on; what was written without need of a sync (a risen commit
 * index alone) is kept back and joins the next write.
 */
export class RaftDriver {
  readonly #options: RaftDriverOptions;
  readonly #timing: RaftDriverTiming;
  readonly #limits: RaftDriverLimits;
  readonly #compaction: LogCompaction;
  readonly #raft: RawNode;
  readonly #mailbox: RaftMailbox;
  readonly #ticks: TickClock;
  readonly #proposals = new PendingProposals();
  readonly #reads = new PendingReads();
  #waitingReads: ReadWaiter[] = [];
  #owedHardState: Ready['hardState'] = null;
  #leadership: Leadership;
  #applied: number;
  #appliedTerm: number;
  #isPumping = false;
  #isStopped = false;
  #idle: (() => void)[] = [];

  /** Loads what is stored, restores the state machine, and begins to tick. @throws RaftStorageError */
  static async start(options: RaftDriverOptions): Promise<RaftDriver> {
    const restored = await options.storage.load();
    if (restored.snapshot !== null) options.machine.restore(restored.snapshot.data, restored.snapshot.index);
    const timing = { ...defaultTiming, ...options.timing };
    const raft = new RawNode({
      id: options.id,
      voters: options.voters,
      electionTimeoutTicks: timing.electionTimeoutTicks,
      heartbeatTicks: timing.heartbeatTicks,
      rng: options.rng,
      appendBytesMax,
      inflightMessagesMax,
      uncommittedBytesMax,
      preVote: true,
      checkQuorum: true,
      restored,
    });
    return new RaftDriver(options, timing, raft, restored.snapshot?.index ?? 0, restored.snapshot?.term ?? 0);
  }

  private constructor(
    options: RaftDriverOptions,
    timing: RaftDriverTiming,
    raft: RawNode,
    applied: number,
    appliedTerm: number,
  ) {
    this.#options = options;
    this.#timing = timing;
    this.#limits = { ...defaultLimits, ...options.limits };
    this.#raft = raft;
    this.#mailbox = new RaftMailbox(this.#limits);
    this.#compaction = new LogCompaction({
      raft,
      storage: options.storage,
      machine: options.machine,
      logger: options.logger,
      rule: { ...defaultCompaction, ...options.compaction },
      onFailed: (error) => this.#fail(error),
    });
    this.#applied = applied;
    this.#appliedTerm = appliedTerm;
    const { role, leader, term } = raft.status();
    this.#leadership = { role, leader: leader === null ? null : nodeId(leader), term };
    this.#ticks = new TickClock(options.timers, timing.tickMs, () => {
      this.#mailbox.tick();
      this.#wake();
    });
    // Alone, there is nobody to hear from first.
    if (options.voters.length === 1 && options.voters[0] === options.id) this.campaign();
    this.#wake();
  }

  get leadership(): Leadership {
    return this.#leadership;
  }

  get isLeader(): boolean {
    return this.#leadership.role === 'leader';
  }

  /** Leads, and has applied an entry of its own term: its state includes all that earlier leaders committed. */
  get isLeaderReady(): boolean {
    return this.isLeader && this.#appliedTerm === this.#leadership.term;
  }

  get appliedIndex(): number {
    return this.#applied;
  }

  /** How late ticks come, in ticks: a node that stood still itself must not blame the others for their silence. */
  get tickLateRatio(): number {
    return this.#ticks.lateRatio;
  }

  get mailboxCount(): number {
    return this.#mailbox.count;
  }

  status(): RaftStatus {
    return this.#raft.status();
  }

  /** Messages from a peer. */
  step(messages: readonly RaftMessage[]): void {
    this.#mailbox.messages(messages);
    this.#wake();
  }

  reportUnreachable(peer: NodeId): void {
    this.#mailbox.unreachable(peer);
    this.#wake();
  }

  /**
   * Resolves once the entry is applied here. `data` must not be empty or changed afterwards.
   * @throws RaftDriverError NOT_LEADER, FULL: not done; LOST_LEADERSHIP, STOPPED: outcome unknown
   */
  propose(data: Uint8Array): Promise<{ readonly index: number }> {
    assert(data.length > 0, 'an empty proposal would look like a no-op');
    if (this.#isStopped) return Promise.reject(new RaftDriverError('STOPPED', 'the node is stopping'));
    if (this.#mailbox.proposalCount + this.#proposals.count >= this.#limits.proposalsMax) {
      return Promise.reject(new RaftDriverError('FULL', `${this.#limits.proposalsMax} proposals wait`));
    }
    return new Promise((resolve, reject) => {
      this.#mailbox.propose(data, { resolve, reject });
      this.#wake();
    });
  }

  /**
   * Resolves with an index once everything that was committed anywhere before the call is applied here. Proof is a
   * quorum round begun after the call; at a follower, the leader's.
   * @throws RaftDriverError NOT_LEADER, FULL, TIMED_OUT, STOPPED
   */
  readBarrier(): Promise<number> {
    if (this.#isStopped) return Promise.reject(new RaftDriverError('STOPPED', 'the node is stopping'));
    if (this.#waitingReads.length >= this.#limits.readsMax) {
      return Promise.reject(new RaftDriverError('FULL', `${this.#limits.readsMax} reads wait`));
    }
    return new Promise((resolve, reject) => {
      this.#waitingReads.push({ resolve, reject });
      this.#wake();
    });
  }

  /** Hands leadership to a voter that is up to date enough; the result says only that it has begun. */
  transferLeadership(to: NodeId): Promise<TransferResult> {
    return new Promise((resolve) => {
      this.#mailbox.call(() => resolve(this.#raft.transferLeadership(to)));
      this.#wake();
    });
  }

  /** Stands for election now: for the first node of a cluster, and for tests. */
  campaign(): void {
    this.#mailbox.call(() => this.#raft.campaign());
    this.#wake();
  }

  /** Stops ticking, stepping and sending; resolves when nothing of this driver touches the storage any more. */
  async stop(): Promise<void> {
    this.#end(new RaftDriverError('STOPPED', 'the node is stopping'));
    if (this.#isPumping) await new Promise<void>((resolve) => this.#idle.push(resolve));
    await this.#compaction.settled();
  }

  #end(error: RaftDriverError): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#ticks.stop();
    this.#proposals.rejectAll(error);
    this.#reads.rejectAll(error);
    for (const mail of this.#mailbox.take()) if (mail.kind === 'propose') mail.waiter.reject(error);
    for (const waiter of this.#waitingReads) waiter.reject(error);
    this.#waitingReads = [];
  }

  #fail(error: unknown): void {
    if (this.#isStopped) return;
    this.#options.logger.error('raft member failed', { err: error });
    this.#end(new RaftDriverError('STOPPED', 'the node failed'));
    this.#options.onFatal(error);
  }

  #wake(): void {
    if (this.#isPumping || this.#isStopped) return;
    this.#isPumping = true;
    // After the current task: what is posted within it shares one Ready.
    Promise.resolve()
      .then(() => this.#pump())
      .catch((error: unknown) => this.#fail(error))
      .finally(() => {
        this.#isPumping = false;
        for (const resolve of this.#idle.splice(0)) resolve();
        if (this.#mailbox.count > 0 || this.#waitingReads.length > 0) this.#wake();
      });
  }

  async #pump(): Promise<void> {
    while (!this.#isStopped) {
      this.#stepMail();
      if (!this.#raft.hasReady()) {
        if (this.#mailbox.count === 0 && this.#waitingReads.length === 0) return;
        continue;
      }
      const ready = this.#raft.ready();
      await this.#persist(ready);
      if (this.#isStopped) return;
      this.#send(ready.messages);
      this.#apply(ready);
      this.#raft.advance(ready);
      this.#observe(ready);
      this.#reads.proven(ready.readStates);
      this.#reads.applied(this.#applied);
      this.#compaction.takeIfDue(this.#applied);
    }
  }

  #stepMail(): void {
    for (const mail of this.#mailbox.take()) this.#stepOne(mail);
    if (this.#waitingReads.length === 0) return;
    const context = this.#reads.begin(this.#waitingReads, this.#ticks.count);
    this.#waitingReads = [];
    const result = this.#raft.readIndex(context);
    if (result.ok) return;
    const code = result.code === 'READS_FULL' ? 'FULL' : 'NOT_LEADER';
    this.#reads.refused(context, new RaftDriverError(code, `read refused: ${result.code}`));
  }

  #stepOne(mail: RaftMail): void {
    switch (mail.kind) {
      case 'tick':
        this.#raft.tick();
        this.#reads.expire(this.#ticks.count - 2 * this.#timing.electionTimeoutTicks);
        return;
      case 'message':
        this.#raft.step(mail.message);
        return;
      case 'unreachable':
        this.#raft.reportUnreachable(mail.peer);
        return;
      case 'call':
        mail.run();
        return;
      case 'propose': {
        const result = this.#raft.propose(mail.data);
        if (result.ok) this.#proposals.add(result.index, result.term, mail.waiter);
        else if (result.code === 'NOT_LEADER') {
          mail.waiter.reject(new RaftDriverError('NOT_LEADER', `the leader is ${result.leader ?? 'unknown'}`));
        } else mail.waiter.reject(new RaftDriverError('FULL', 'too many bytes are uncommitted'));
      }
    }
  }

  async #persist(ready: Ready): Promise<void> {
    this.#owedHardState = ready.hardState ?? this.#owedHardState;
    const hasLog = ready.entries.length > 0 || ready.snapshot !== null;
    if (!ready.mustSync && !hasLog) return;
    const hardState = this.#owedHardState;
    this.#owedHardState = null;
    // An older snapshot must not land on a newer one.
    if (ready.snapshot !== null) await this.#compaction.settled();
    await this.#options.storage.persist({ hardState, entries: ready.entries, snapshot: ready.snapshot });
  }

  #send(messages: readonly RaftMessage[]): void {
    if (messages.length === 0) return;
    const byPeer = new Map<string, RaftMessage[]>();
    for (const message of messages) {
      const list = byPeer.get(message.to);
      if (list === undefined) byPeer.set(message.to, [message]);
      else list.push(message);
    }
    for (const [peer, list] of byPeer) this.#options.transport.sendRaft(nodeId(peer), list);
  }

  #apply(ready: Ready): void {
    const { machine } = this.#options;
    if (ready.snapshot !== null) {
      machine.restore(ready.snapshot.data, ready.snapshot.index);
      this.#applied = ready.snapshot.index;
      this.#appliedTerm = ready.snapshot.term;
      this.#compaction.restarted();
    }
    for (const entry of ready.committedEntries) {
      assert(entry.index === this.#applied + 1, `entry ${entry.index} to apply after ${this.#applied}`);
      machine.apply(entry);
      this.#applied = entry.index;
      this.#appliedTerm = entry.term;
      this.#compaction.applied(entry);
    }
    if (ready.snapshot === null && ready.committedEntries.length === 0) return;
    machine.applied(this.#applied);
    // Only now: who waits for an outcome finds it in the state.
    for (const { index, term } of ready.committedEntries) this.#proposals.applied(index, term);
  }

  #observe(ready: Ready): void {
    if (ready.softState === null && ready.hardState === null) return;
    const before = this.#leadership;
    const { role, leader } = ready.softState ?? before;
    const term = ready.hardState?.term ?? before.term;
    if (role === before.role && leader === before.leader && term === before.term) return;
    this.#leadership = { role, leader: leader === null ? null : nodeId(leader), term };
    if (before.role === 'leader' && (role !== 'leader' || term !== before.term)) {
      const error = new RaftDriverError('LOST_LEADERSHIP', `leadership of term ${before.term} has ended`);
      this.#proposals.rejectAll(error, role === 'leader' ? term : -1);
    }
    // Raft forgets open reads with the leader that took them.
    if (leader !== before.leader || term !== before.term) {
      this.#reads.rejectUnproven(new RaftDriverError('NOT_LEADER', 'the leader has changed'));
    }
    this.#options.onLeadership(this.#leadership);
  }
}
