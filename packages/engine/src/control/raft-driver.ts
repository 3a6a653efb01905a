import { assert, type NodeId } from '@holdfast/model';
import {
  type ConfChangeResult,
  type ConfState,
  type ConfTarget,
  type RaftEntry,
  type RaftMessage,
  type RaftStatus,
  RawNode,
  type Ready,
  type Snapshot,
  type TransferResult,
} from '@holdfast/raft';
import { EntryApplier } from './entry-applier.ts';
import { defaultCompaction, LogCompaction } from './log-compaction.ts';
import { messagesByMember, nodeOfMember, nodeOrNull } from './member-id.ts';
import { PendingProposals } from './pending-proposals.ts';
import { PendingReads, type ReadWaiter } from './pending-reads.ts';
import { RaftDriverError, unlessStopped } from './raft-driver-error.ts';
import {
  defaultLimits,
  defaultTiming,
  type Leadership,
  type RaftDriverLimits,
  type RaftDriverOptions,
  type RaftDriverTiming,
  raftLimits,
} from './raft-driver-options.ts';
import { RaftHearing } from './raft-hearing.ts';
import { type RaftMail, RaftMailbox } from './raft-mailbox.ts';
import { TickClock } from './tick-clock.ts';

/**
 * The one loop around a Raft member: mailbox → step → ready → persist → send → apply → advance.
 * All mail that waits is stepped before one Ready, so whatever came while the disk was busy shares the next write.
 * Messages leave only after the write they may depend on; what needs no sync (a risen commit index) joins the next one.
 * A leader's appends leave before it, so that all disks write at once; entries that are durable already are applied before.
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
  readonly #hearing: RaftHearing;
  #owedHardState: Ready['hardState'] = null;
  #leadership: Leadership;
  readonly #applier: EntryApplier;
  #isPumping = false;
  #isStopped = false;
  #idle: (() => void)[] = [];

  /** Loads what is stored, restores the state machine, and begins to tick. @throws RaftStorageError */
  static async start(options: RaftDriverOptions): Promise<RaftDriver> {
    const restored = await options.storage.load();
    const timing = { ...defaultTiming, ...options.timing };
    const raft = new RawNode({
      id: options.id,
      voters: options.voters,
      electionTimeoutTicks: timing.electionTimeoutTicks,
      heartbeatTicks: timing.heartbeatTicks,
      rng: options.rng,
      ...raftLimits,
      preVote: true,
      checkQuorum: true,
      restored,
    });
    const driver = new RaftDriver(options, timing, raft, restored.snapshot?.index ?? 0);
    if (restored.snapshot !== null) await driver.#applier.restore(restored.snapshot);
    driver.#begin();
    return driver;
  }

  private constructor(options: RaftDriverOptions, timing: RaftDriverTiming, raft: RawNode, startIndex: number) {
    this.#options = options;
    this.#timing = timing;
    this.#limits = { ...defaultLimits, ...options.limits };
    this.#raft = raft;
    this.#mailbox = new RaftMailbox(this.#limits);
    this.#hearing = new RaftHearing(options.timers);
    this.#compaction = new LogCompaction({
      raft,
      storage: options.storage,
      machine: options.machine,
      timers: options.timers,
      logger: options.logger,
      rule: { ...defaultCompaction, ...options.compaction },
      startIndex,
      onFailed: (error) => this.#fail(error),
    });
    this.#applier = new EntryApplier(options, raftLimits.applyBytesMax, (entry) => this.#compaction.applied(entry));
    const { role, leader, term } = raft.status();
    this.#leadership = { role, leader: nodeOrNull(leader), term };
    this.#ticks = new TickClock(options.timers, timing.tickMs, () => {
      this.#mailbox.tick();
      this.#wake();
    });
  }

  #begin(): void {
    const { id, voters } = this.#options;
    // Alone, there is nobody to hear from first.
    if (voters.length === 1 && voters[0] === id) this.campaign();
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
    return this.isLeader && this.#applier.term === this.#leadership.term;
  }

  get appliedIndex(): number {
    return this.#applier.index;
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

  /** Messages from a peer: those of `RaftHearing`; what doesn't come from a member of that node is dropped. */
  step(from: NodeId, messages: readonly RaftMessage[]): void {
    this.#mailbox.messages(messages.filter((message) => this.#hearing.hears(from, message, this.isBlank)));
    this.#wake();
  }

  /** Neither log nor vote yet? */
  get isBlank(): boolean {
    return this.#raft.isBlank;
  }

  /** Founds a cluster of these members, this one among them; see `Founding`, which makes sure that nobody else does. */
  found(members: readonly string[]): void {
    this.#call(() => this.#raft.isBlank && this.#raft.found(members)).catch(unlessStopped);
  }

  /** While this member is blank, and for so long, it takes messages of no other member. */
  listenOnlyTo(member: string, durationMs: number): void {
    this.#hearing.listenOnlyTo(member, durationMs);
  }

  reportUnreachable(peer: NodeId): void {
    for (const member of this.status().progress.keys()) {
      if (nodeOfMember(member) === peer) this.#mailbox.unreachable(member);
    }
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

  /** Who takes part, as of the last applied entry. */
  members(): ConfState {
    return this.#raft.conf;
  }

  /**
   * Begins a change of the members, at the leader; the result says only that it has begun. It is done when `members()` is
   * the target. What is refused, and why: `ConfChangeResult`. @throws RaftDriverError STOPPED
   */
  changeMembers(target: ConfTarget): Promise<ConfChangeResult> {
    return this.#call(() => this.#raft.proposeConfChange(target));
  }

  /** Hands leadership to a node's voter that is up to date enough; the result says only that it has begun. @throws RaftDriverError STOPPED */
  transferLeadership(to: NodeId): Promise<TransferResult> {
    return this.#call(() => {
      const member = this.#raft.conf.voters.find((voter) => nodeOfMember(voter) === to);
      return member === undefined ? { ok: false, code: 'UNKNOWN_PEER' } : this.#raft.transferLeadership(member);
    });
  }

  /** Whether this node had rather not lead, while others can. */
  setReluctant(isReluctant: boolean): void {
    this.#raft.setReluctant(isReluctant);
  }

  /** Stands for election now: for the first node of a cluster, and for tests. */
  campaign(): void {
    this.#call(() => this.#raft.campaign()).catch(unlessStopped);
  }

  #call<T>(act: () => T): Promise<T> {
    if (this.#isStopped) return Promise.reject(new RaftDriverError('STOPPED', 'the node is stopping'));
    return new Promise((resolve, reject) => {
      this.#mailbox.call(() => resolve(act()), reject);
      this.#wake();
    });
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
    this.#mailbox.rejectAll(error);
    for (const waiter of this.#waitingReads.splice(0)) waiter.reject(error);
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
      const { committedEntries, promptCount, snapshot } = ready;
      this.#send(ready.promptMessages);
      this.#apply(committedEntries.slice(0, promptCount));
      await this.#persist(ready);
      if (this.#isStopped) return;
      this.#send(ready.messages);
      if (snapshot !== null) await this.#restore(snapshot);
      if (this.#isStopped) return;
      this.#apply(committedEntries.slice(promptCount));
      const membersBefore = this.members();
      this.#raft.advance(ready);
      this.#observe(ready);
      this.#observeMembers(membersBefore, ready.snapshot !== null);
      this.#reads.proven(ready.readStates);
      this.#reads.applied(this.#applier.index);
      this.#compaction.takeIfDue(this.#applier.index);
      await this.#applier.giveWay();
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
    for (const [peer, list] of messagesByMember(messages)) {
      this.#options.transport.sendRaft(nodeOfMember(peer), list);
    }
  }

  async #restore(snapshot: Snapshot): Promise<void> {
    await this.#applier.restore(snapshot);
    if (this.#isStopped) return;
    this.#compaction.restarted();
    this.#applier.apply([]);
  }

  #apply(entries: readonly RaftEntry[]): void {
    if (entries.length === 0) return;
    this.#applier.apply(entries);
    // Only now: who waits for an outcome finds it in the state.
    for (const { index, term } of entries) this.#proposals.applied(index, term);
  }

  #observeMembers(before: ConfState, isRestored: boolean): void {
    const members = this.members();
    if (members === before && !isRestored) return;
    this.#options.logger.info('members', { ...members });
    this.#options.onMembers?.(members);
  }

  #observe(ready: Ready): void {
    if (ready.softState === null && ready.hardState === null) return;
    const before = this.#leadership;
    const role = ready.softState?.role ?? before.role;
    const leader = ready.softState === null ? before.leader : nodeOrNull(ready.softState.leader);
    const term = ready.hardState?.term ?? before.term;
    if (role === before.role && leader === before.leader && term === before.term) return;
    this.#leadership = { role, leader, term };
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
