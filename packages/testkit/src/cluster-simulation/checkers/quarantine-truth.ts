import type { NewRecord } from '@holdfast/engine';
import type { LeaseRecord, QuarantineLifted } from '@holdfast/lease';
import { formatUnit } from '@holdfast/model';
import { quarantinedReason } from '@holdfast/processor';
import type { Report } from '../../simulation/checkers/report.ts';
import { deadLetterTopic } from '../cluster-job.ts';
import type { Ledger } from '../ledger.ts';
import type { SimulatedUser } from '../users.ts';
import type { Buried } from './buried.ts';
import { type EndedProcess, endName, LoggedEnds } from './logged-ends.ts';
import { PromptVerdicts } from './prompt-verdicts.ts';

/** The records in a user's state, in the store of that generation. */
export type RecordsOf = (
  generationId: string,
  user: SimulatedUser,
) => Iterable<{ readonly partition: number; readonly offset: number }>;

/** Named ends of processes that are enough for quarantine whichever nodes they were of, as the rule has it for up to eight nodes (ADR 17). */
const namedEndsEnough = 6;
/** And two that come before all shards know of the entry. */
const namedEndsMax = namedEndsEnough + 2;

/**
 * Quarantine (PROTOCOL.md 6.3): only units with a record that ends processes come into it, and only once the log has two
 * nodes that ended at one of its records, or six ends of one; and those with a record that spoils their state, or a bent row
 * (5.6). An innocent one may where chance spoke against it: its record stood out against each deadly one beside it, by ends
 * that these had no part in, or was named at six ends (ADR 17). Only their records are buried for it, and a record that ends
 * processes has soon ended its last. That each is in the state or buried, and never both, is seen by I5; a store of another
 * history may bring back a state that has both.
 */
export class QuarantineTruth implements Buried {
  readonly #report: Report;
  readonly #ledger: Ledger;
  /** By unit with a deadly record, and by that record: how many processes it has ended. */
  readonly #deaths = new Map<string, Map<string, number>>();
  /** Each record that has ended a process, and its unit. */
  readonly #deadly = new Map<string, string>();
  /** By name of an end: the record that ended the process; null when it was something else, or two processes had the name. */
  readonly #causes = new Map<string, string | null>();
  readonly #logged = new LoggedEnds();
  readonly #prompt: PromptVerdicts;
  /** Units that the log spoke against enough for quarantine after one of its entries; the leader may have seen no later one. */
  readonly #due = new Set<string>();
  /** And of these the ones whose record stood out against all deadly ones. */
  readonly #stoodOut = new Set<string>();
  readonly #spoilt = new Set<string>();
  readonly #bent = new Set<string>();
  readonly #quarantined = new Set<string>();
  /** By unit that was released last: where each partition ended then. What lies before stays buried. */
  readonly #released = new Map<string, ReadonlyMap<number, number>>();
  readonly #buried = new Set<string>();
  readonly #recordsOf: RecordsOf;
  /** Records of units in quarantine that a store of another history had, when the log took it: by then in letters, maybe. */
  readonly #broughtBack = new Set<string>();
  /** The most processes that one record has ended. */
  deathsMost = 0;
  released = 0;
  voidLetters = 0;
  /** Units in quarantine by chance. */
  innocents = 0;

  constructor(report: Report, ledger: Ledger, recordsOf: RecordsOf = () => []) {
    this.#report = report;
    this.#prompt = new PromptVerdicts(report, this.#logged, this.#quarantined);
    this.#ledger = ledger;
    this.#recordsOf = recordsOf;
  }

  /** Verdicts that came before the next session of the node that had told, as they have to. */
  get promptVerdicts(): number {
    return this.#prompt.seen;
  }

  get units(): number {
    return this.#quarantined.size + this.released;
  }

  get letters(): number {
    return this.#buried.size;
  }

  /**
   * A record of the unit has ended a process. @param folders how many data folders there have been: with each, one process
   * may end without knowing at which record, and one that nobody was told of when the next met with it
   */
  onDeath(unit: string, position: string, folders: number, end: EndedProcess): void {
    this.#deadly.set(position, unit);
    this.#noteCause(end, position);
    let deaths = this.#deaths.get(unit);
    if (deaths === undefined) this.#deaths.set(unit, (deaths = new Map()));
    const ended = (deaths.get(position) ?? 0) + 1;
    deaths.set(position, ended);
    this.deathsMost = Math.max(this.deathsMost, ended);
    const endedMax = 2 * folders + namedEndsMax;
    if (ended === endedMax + 1)
      this.#report(`6.3: ${position} has ended ${ended} processes, ${endedMax} at most are enough for quarantine`);
  }

  /** A process has ended, and no record was the cause. */
  onOtherEnd(end: EndedProcess): void {
    this.#noteCause(end, null);
  }

  /** A record of the unit is in the log that leaves a state which can't be backed up. */
  onSpoilt(unit: string): void {
    this.#spoilt.add(unit);
  }

  /** What is stored of the unit can't be read. */
  onBent(unit: string): void {
    this.#bent.add(unit);
  }

  wasBent(unit: string): boolean {
    return this.#bent.has(unit);
  }

  onRecord(record: LeaseRecord): void {
    if (record.kind === 'unitCrashed' || record.kind === 'frameCrashed') this.#logged.add(record);
    if (record.kind === 'sessionOpened') this.#prompt.onOpened(record);
    if (record.kind === 'quarantineLifted') this.#onLifted(record);
    if (record.kind === 'generationChanged' && !record.continues) {
      for (const position of this.#storedOfPresent(record.storeGeneration)) this.#broughtBack.add(position);
    }
    if (record.kind !== 'unitQuarantined') return;
    const unit = formatUnit(record.hi, record.lo);
    if (this.#quarantined.has(unit)) return;
    this.#judge(unit);
    const isDue = this.#due.delete(unit);
    const stoodOut = this.#stoodOut.delete(unit);
    this.#quarantined.add(unit);
    this.#logged.settle(unit);
    this.#prompt.onQuarantined(unit);
    if (this.#spoilt.has(unit) || this.#bent.has(unit)) return;
    const deaths = Math.max(0, ...(this.#deaths.get(unit)?.values() ?? []));
    if (!isDue) this.#report(`6.3: unit ${unit} is quarantined before two nodes have ended at one of its records`);
    else if (deaths < 2 && stoodOut) this.innocents++;
    else if (deaths < 2) this.#report(`6.3: unit ${unit} is quarantined, whose records have ended ${deaths} processes`);
  }

  /** After all records of an entry: what a leader may have judged by. */
  afterEntry(records: readonly LeaseRecord[]): void {
    const told = records.filter((record) => record.kind === 'unitCrashed' || record.kind === 'frameCrashed');
    if (told.length === 0) return;
    for (const unit of this.#logged.units) this.#judge(unit);
    for (const node of new Set(told.map(({ nodeId }) => nodeId))) this.#prompt.onTold(node);
  }

  #judge(unit: string): void {
    for (const position of this.#logged.recordsOf(unit)) {
      const named = this.#logged.namedAt(position);
      const isPersistent = named.length >= namedEndsEnough;
      if (!isPersistent && this.#logged.nodesOf(named).size < 2) continue;
      this.#due.add(unit);
      if (isPersistent || this.#standsOut(unit, position, named)) this.#stoodOut.add(unit);
    }
  }

  /** More ends name it without each deadly record that was at others of its ends than speak against that one without it. */
  #standsOut(unit: string, position: string, named: readonly string[]): boolean {
    const own = this.#logged.endsAt(position);
    return [...this.#deadly].every(([deadly, of]) => {
      const logged = this.#logged.endsAt(deadly);
      const alone = named.filter((end) => !logged.has(end) && this.#causes.get(end) !== deadly).length;
      if (of === unit || alone === named.length) return true;
      return alone > [...logged].filter((end) => !own.has(end)).length;
    });
  }

  #noteCause(end: EndedProcess, cause: string | null): void {
    const name = endName(end);
    const isKnown = this.#causes.has(name) && this.#causes.get(name) !== cause;
    this.#causes.set(name, isKnown ? null : cause);
  }

  /**
   * All is durable. What was buried while the log was at one store, and is in the state that another one has brought
   * back, counts by the state (ADR 17, limits): such a letter is void.
   */
  settle(generationId: string): void {
    for (const position of this.#storedOfPresent(generationId)) {
      if (this.#broughtBack.has(position) && this.#buried.delete(position)) this.voidLetters++;
    }
    this.#broughtBack.clear();
  }

  *#storedOfPresent(generationId: string): Iterable<string> {
    for (const user of this.#ledger.users) {
      if (!this.#quarantined.has(user.unitKey)) continue;
      for (const { partition, offset } of this.#recordsOf(generationId, user)) yield `${partition}/${offset}`;
    }
  }

  /**
   * All that was read so far is in the state or in a letter: else its records would be neither. And nothing is being produced,
   * so that the ends are known: with higher ones what comes after the release would be buried, unseen, since it may be.
   */
  #onLifted({ hi, lo, before }: QuarantineLifted): void {
    const unit = formatUnit(hi, lo);
    if (!this.#quarantined.delete(unit)) return;
    this.released++;
    const ends = new Map(before.map(({ partition, offset }) => [partition, offset]));
    this.#released.set(unit, ends);
    const { partitions } = this.#ledger;
    for (const partition of new Set([...partitions.keys(), ...ends.keys()])) {
      const end = partitions[partition]?.length ?? 0;
      const named = ends.get(partition) ?? 0;
      if (named !== end)
        this.#report(`6.3: unit ${unit} is released up to ${partition}/${named}, and the partition ends at ${end}`);
    }
    for (const evidence of [this.#deaths, this.#spoilt]) evidence.delete(unit);
    this.#ledger.settleBuried(unit, (partition, offset) => this.isBuried(partition, offset));
  }

  onAppended(topic: string, records: readonly NewRecord[]): void {
    if (topic !== deadLetterTopic) return;
    for (const { headers } of records) {
      if (headers?.reason !== quarantinedReason) continue;
      const { partition, offset } = headers;
      const user = this.#ledger.partitions[Number(partition)]?.[Number(offset)]?.user;
      if (user == null || !this.#mayBury(user.unitKey, Number(partition), Number(offset)))
        this.#report(`6.3: ${partition}/${offset} is buried, whose unit isn't quarantined, nor was at its time`);
      this.#buried.add(`${partition}/${offset}`);
    }
  }

  /** Its unit is in quarantine, or was until the partition ended behind it. */
  #mayBury(unit: string, partition: number, offset: number): boolean {
    return this.#quarantined.has(unit) || offset < (this.#released.get(unit)?.get(partition) ?? 0);
  }

  /** Units in quarantine now. */
  get present(): ReadonlySet<string> {
    return this.#quarantined;
  }

  isBuried(partition: number, offset: number): boolean {
    return this.#buried.has(`${partition}/${offset}`);
  }
}
