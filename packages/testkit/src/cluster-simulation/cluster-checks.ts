import type { Claim, ClaimResult, Mark, NewRecord, OffsetCommit, RowResult, RowWrite } from '@holdfast/engine';
import { formatUnit } from '@holdfast/model';
import type { RecordLimits } from '@holdfast/processor';
import type { CommittedEntry } from '../simulation/checkers/committed-log.ts';
import type { LeaseModel } from '../simulation/checkers/lease-model.ts';
import type { Report } from '../simulation/checkers/report.ts';
import { CleanEnds } from './checkers/clean-ends.ts';
import { DistinctUsers } from './checkers/distinct-users.ts';
import { DurableOffsets } from './checkers/durable-offsets.ts';
import { FencedReports } from './checkers/fenced-reports.ts';
import { GapRule } from './checkers/gap-rule.ts';
import { GrantedEpochs } from './checkers/granted-epochs.ts';
import { MarkerTruth } from './checkers/marker-truth.ts';
import { type Applier, OneApplier } from './checkers/one-applier.ts';
import { OutputsFirst } from './checkers/outputs-first.ts';
import { QuarantineTruth } from './checkers/quarantine-truth.ts';
import { QueueBounds } from './checkers/queue-bounds.ts';
import { ReplayEquality } from './checkers/replay-equality.ts';
import { StoreAcceptance } from './checkers/store-acceptance.ts';
import { StoredRows } from './checkers/stored-rows.ts';
import { UserStates } from './checkers/user-states.ts';
import type { LedgerState } from './cluster-job.ts';
import type { LogEvents } from './cluster-log.ts';
import type { StoreEvents } from './cluster-store.ts';
import type { Ledger } from './ledger.ts';
import type { StoreLife } from './store-life.ts';
import { hexOf, type SimulatedUser } from './users.ts';

export interface ClusterChecksOptions {
  readonly report: Report;
  readonly ledger: Ledger;
  readonly limits: RecordLimits;
  readonly model: LeaseModel;
  readonly shardOf: (serial: number) => Applier;
}

/** All checkers of records' ways, and who of them looks at what. */
export class ClusterChecks implements StoreEvents, LogEvents {
  readonly #options: ClusterChecksOptions;
  readonly stored: StoredRows;
  readonly appliers: OneApplier;
  readonly bounds: QueueBounds;
  readonly quarantine: QuarantineTruth;
  readonly fencedReports: FencedReports;
  readonly #acceptance: StoreAcceptance;
  readonly #epochs: GrantedEpochs;
  readonly #gaps: GapRule;
  readonly #cleanEnds: CleanEnds;
  readonly #outputs: OutputsFirst;
  readonly #offsets: DurableOffsets;
  readonly #markers: MarkerTruth;
  readonly #states: UserStates;
  readonly #users: DistinctUsers;
  readonly #replay: ReplayEquality;
  #fencedCommits = 0;

  constructor(options: ClusterChecksOptions) {
    const { report, ledger, limits, model } = options;
    this.#options = options;
    this.stored = new StoredRows(ledger);
    this.appliers = new OneApplier(report, model);
    this.quarantine = new QuarantineTruth(report, ledger, (generationId, user) => this.#recordsOf(generationId, user));
    this.bounds = new QueueBounds(report, limits);
    this.#acceptance = new StoreAcceptance(report);
    this.#epochs = new GrantedEpochs(report, model);
    this.fencedReports = new FencedReports(report, model);
    this.#cleanEnds = new CleanEnds(report, model);
    this.#gaps = new GapRule(report, ledger);
    this.#outputs = new OutputsFirst(report, ledger);
    this.#offsets = new DurableOffsets(report, ledger, this.stored, this.#outputs, this.quarantine);
    this.#markers = new MarkerTruth(report, ledger, this.stored, this.quarantine);
    this.#states = new UserStates(report, ledger, this.stored, this.quarantine);
    this.#users = new DistinctUsers(report);
    this.#replay = new ReplayEquality(report, ledger, this.stored);
  }

  onEntry(index: number, { records }: CommittedEntry): void {
    for (const record of records) {
      this.stored.noteRecord(record);
      this.appliers.onRecord(record);
      this.#cleanEnds.onRecord(record);
      this.quarantine.onRecord(record);
      this.fencedReports.onRecord(record, index);
      this.#epochs.onRecord(record, index);
    }
    this.quarantine.afterEntry(records);
  }

  /** The job of a shard is about to change a state. */
  onApply(serial: number, key: Uint8Array, state: LedgerState, partition: number, offset: number): void {
    const user = this.#options.ledger.byHex.get(hexOf(key));
    if (user === undefined) {
      this.#options.report(`I9: a record of ${key.length} bytes of key is applied, which nobody has`);
      return;
    }
    this.#users.onApply(user, state);
    const shard = this.#options.shardOf(serial);
    this.appliers.onApply(shard, user);
    const epoch = this.appliers.claimedEpoch(serial, user.unitKey);
    if (epoch !== undefined) this.#cleanEnds.onApply(shard.session, epoch, user, state, partition);
    this.#gaps.onApply(user, state, partition, offset);
    this.#replay.onApply(user.index, state.order, partition, offset);
  }

  onClaimed(life: StoreLife, client: number, claim: Claim, result: ClaimResult): void {
    this.#epochs.onClaimed(this.#options.shardOf(client), claim);
    this.#acceptance.onClaimed(life, claim, result);
    if (result.code === 'OK') this.appliers.onAccepted(client, formatUnit(claim.hi, claim.lo), claim.epoch);
  }

  onClaimAnswered(client: number, claim: Claim, result: ClaimResult): void {
    this.appliers.onClaimAnswered(client, claim, result);
  }

  onBackup(life: StoreLife, client: number, row: RowWrite, result: RowResult): void {
    this.#epochs.onBackup(this.#options.shardOf(client), row);
    this.#acceptance.onBackup(life, row, result);
    if (result.code !== 'OK') return;
    const unit = formatUnit(row.hi, row.lo);
    this.appliers.onAccepted(client, unit, row.epoch);
    const kept = life.rows.get(unit)!.row!;
    const users = this.stored.usersOf(kept);
    this.#users.onRow(unit, users);
    for (const user of users) {
      this.#states.onRow(user);
      this.#outputs.onRow(user);
    }
    this.#offsets.onRow(life, unit, kept);
    this.#cleanEnds.onRow(unit, row.epoch, users);
  }

  onBackupAnswered(client: number, row: RowWrite, result: RowResult): void {
    this.fencedReports.onAnswered(this.#options.shardOf(client), row, result);
  }

  onMarked(life: StoreLife, _client: number, marks: readonly Mark[]): void {
    this.#markers.onMarked(life, marks);
  }

  onNewLife(life: StoreLife): void {
    this.stored.noteLife(life);
    this.#acceptance.onNewLife(life);
  }

  onAppended(topic: string, records: readonly NewRecord[]): void {
    this.#outputs.onAppended(topic, records);
    this.quarantine.onAppended(topic, records);
  }

  onCommitted(commit: OffsetCommit, isFenced: boolean): void {
    if (isFenced) this.#fencedCommits++;
    this.#offsets.onCommitted(commit);
  }

  /** Everything is durable: the costly comparisons. */
  compare(life: StoreLife): void {
    this.quarantine.settle(life.generationId);
    this.#states.compare(life);
    this.#users.compare();
    this.#replay.compare(life);
  }

  #recordsOf(generationId: string, user: SimulatedUser): readonly { partition: number; offset: number }[] {
    const life = this.stored.lifeOf(generationId);
    const state = life === undefined ? undefined : this.stored.stateOf(life, user)?.state;
    return state === undefined ? [] : (this.#replay.stepsTo(user.index, state.order) ?? []);
  }

  /** Rare, and no proof of anything: a claim comes late only from a node that stood still before it. */
  get claimsFenced(): number {
    return this.#acceptance.claimsFenced;
  }

  /** A checker that saw nothing proves nothing: how much each has seen. */
  get seen(): Readonly<Record<string, number>> {
    return {
      applied: this.#gaps.applied,
      appliers: this.appliers.applied,
      cleanEnds: this.appliers.cleanEnds,
      moves: this.appliers.moves,
      cleanEndsWithRecords: this.#cleanEnds.ends,
      cleanSessions: this.#cleanEnds.sessions,
      claims: this.#epochs.claims,
      rowsAccepted: this.#acceptance.accepted,
      rowsFenced: this.#acceptance.rowsFenced,
      rowsFencedUnclean: this.fencedReports.fenced,
      rowsStale: this.#acceptance.stale,
      corruptAnswers: this.#acceptance.corrupt,
      rowsOfUsers: this.#states.rows,
      usersSharing: this.#users.sharing.size,
      outputs: this.#outputs.outputs,
      outputsRepeated: this.#outputs.repeated,
      offsetsCommitted: this.#offsets.commits,
      offsetsFenced: this.#fencedCommits,
      marks: this.#markers.marks,
      usersCompared: this.#states.compared,
      replayed: this.#replay.replayed,
      quarantined: this.quarantine.units,
      buried: this.quarantine.letters,
      queueLooks: this.bounds.looks,
      queuesFull: Number(this.bounds.parkedRatio >= 1) + Number(this.bounds.framesRatio >= 1),
    };
  }
}
