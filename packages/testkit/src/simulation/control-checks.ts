import type { RaftRestored } from '@holdfast/engine';
import { compileLeaseOptions, type LeaseOptions } from '@holdfast/lease';
import type { NodeId } from '@holdfast/model';
import type { RaftMessage } from '@holdfast/raft';
import { type CommittedEntry, CommittedLog } from './checkers/committed-log.ts';
import { Durability } from './checkers/durability.ts';
import { EpochsRise } from './checkers/epochs-rise.ts';
import { GoneSessions } from './checkers/gone-sessions.ts';
import { HardStates } from './checkers/hard-state.ts';
import { LeaderCompleteness } from './checkers/leader-completeness.ts';
import { LeaseModel } from './checkers/lease-model.ts';
import { LeaseService } from './checkers/lease-service.ts';
import { LogMatching } from './checkers/log-matching.ts';
import { MembershipViews } from './checkers/membership-views.ts';
import { OneLeader } from './checkers/one-leader.ts';
import { OneVote } from './checkers/one-vote.ts';
import type { Report } from './checkers/report.ts';
import { SameCommands } from './checkers/same-commands.ts';
import { SessionTimes } from './checkers/session-times.ts';
import { StaleHolders } from './checkers/stale-holders.ts';
import type { PersistWrite } from './simulated-disk.ts';
import type { SimulatedNode } from './simulated-node.ts';

export interface ControlChecksOptions {
  readonly report: Report;
  readonly nowMs: () => number;
  readonly lease: Partial<LeaseOptions>;
  readonly clockDriftRatio: number;
  /** The highest epoch that store and log had seen when the cluster was founded. */
  readonly epochFloor: number;
  /** Does a process live that listens there? */
  readonly isListening: (address: string) => boolean;
  /** What is durable at a member. */
  readonly diskOf: (member: string) => RaftRestored;
  /** For checkers beside these: a newly committed entry, after the model has taken it. */
  readonly onEntry: (index: number, entry: CommittedEntry) => void;
}

/** All checkers of a history, and who of them looks at what. */
export class ControlChecks {
  readonly #options: ControlChecksOptions;
  readonly model: LeaseModel;
  readonly log: CommittedLog;
  readonly leaders: OneLeader;
  readonly votes: OneVote;
  readonly epochs: EpochsRise;
  readonly times: SessionTimes;
  readonly gone: GoneSessions;
  readonly stale: StaleHolders;
  readonly service: LeaseService;
  readonly views: MembershipViews;
  readonly #matching: LogMatching;
  readonly #hardStates: HardStates;
  readonly #durability: Durability;
  readonly #completeness: LeaderCompleteness;
  readonly #commands: SameCommands;

  constructor(options: ControlChecksOptions) {
    const { report, nowMs, lease, clockDriftRatio, epochFloor, onEntry } = options;
    this.#options = options;
    this.model = new LeaseModel(report);
    this.epochs = new EpochsRise(report, epochFloor);
    this.times = new SessionTimes(report, this.model, compileLeaseOptions(lease), clockDriftRatio);
    this.gone = new GoneSessions(report, this.model, options.isListening);
    this.log = new CommittedLog(report, (index, entry) => {
      for (const record of entry.records) {
        const isExpiry = record.kind === 'sessionEnded' && record.reason === 'expired';
        if (isExpiry && this.model.sessions.has(record.session)) this.times.onExpired(record.session, nowMs());
        this.gone.beforeRecord(record);
        this.model.apply(record, index, nowMs());
      }
      this.model.compare(this.log.table, index);
      this.epochs.afterEntry(this.log.table);
      onEntry(index, entry);
    });
    this.stale = new StaleHolders(report, this.log, compileLeaseOptions(lease), clockDriftRatio);
    this.leaders = new OneLeader(report);
    this.votes = new OneVote(report);
    this.service = new LeaseService(report, this.log, this.model);
    this.views = new MembershipViews(report);
    this.#matching = new LogMatching(report);
    this.#hardStates = new HardStates(report);
    this.#durability = new Durability(report);
    this.#completeness = new LeaderCompleteness(report, this.log);
    this.#commands = new SameCommands(report, this.log);
  }

  /** Before a message leaves. */
  onRaftSent(node: SimulatedNode, message: RaftMessage): void {
    const disk = node.disk.synced;
    this.#hardStates.onSent(message);
    this.#durability.onSent(message, disk);
    this.votes.onSent(message);
    const isNewLeader = this.leaders.onSent(message);
    if (isNewLeader) this.#completeness.onNewLeader(node.id, message.term, disk);
    const { type } = message;
    if (type === 'append' || type === 'heartbeat' || type === 'commit') this.#committedAt(node, message.commit);
  }

  onSynced(node: SimulatedNode, write: PersistWrite, before: RaftRestored, after: RaftRestored): void {
    this.#matching.onSynced(node.id, write.entries, after);
    this.#hardStates.onSynced(node.id, before, after);
  }

  onStarted(node: SimulatedNode): void {
    const { term, commit } = node.control!.status().raft;
    this.#hardStates.onStarted(node.id, node.disk.synced.hardState, { term, commit });
  }

  /** The node's table has changed. */
  onApplied(node: SimulatedNode): void {
    const { table } = node.control!;
    const { tableIndex } = table;
    if (tableIndex === node.checkedIndex) return;
    this.#commands.checkForward(node.id, tableIndex, node.checkedIndex);
    this.#committedAt(node, tableIndex);
    this.#commands.checkDisk(node.id, node.checkedIndex + 1, tableIndex, node.disk.synced);
    node.checkedIndex = tableIndex;
    this.service.onApplied(tableIndex);
    this.#commands.checkTable(node.id, table);
  }

  /** What the node believes of its right to hold. */
  afterEvent(node: SimulatedNode): void {
    const { control, process } = node;
    node.noteOwnRenewals();
    const session = control?.session;
    if (process === null || session === null || session === undefined) return;
    this.times.onHolding(node.id, process, session);
    this.stale.onHolding(node.id, process, session, control!.table.tableIndex);
  }

  /** A checker that saw nothing proves nothing: how much each has seen. */
  get seen(): Readonly<Record<string, number>> {
    return {
      entries: this.log.lastIndex,
      leaders: this.leaders.count,
      votes: this.votes.count,
      leases: this.epochs.grants,
      expiries: this.times.expiries,
      goneSessions: this.gone.count,
      staleHolders: this.stale.stale,
      staleRefused: this.stale.refused,
      sessionEnds: this.model.ended.size,
      answers: this.service.answers,
      views: this.views.looks,
    };
  }

  #committedAt(
    { id, disk }: { readonly id: NodeId; readonly disk: { readonly synced: RaftRestored } },
    index: number,
  ): void {
    const first = this.log.committedAt(id, index, disk.synced, this.#options.nowMs());
    if (first === null) return;
    // With the newest on a quorum, all before it are: they are in the same logs.
    this.#durability.onCommitted(index, this.log.entries[index]!.term, this.log.confsFrom(first), this.#options.diskOf);
  }
}
