import { decodeRecords, LeaseTable } from '@holdfast/lease';
import { type SessionId, type ShardIndex, topicId } from '@holdfast/model';
import { defaultRecordLimits, type RecordLimits } from '@holdfast/processor';
import {
  ClusterChecks,
  deadLetterTopic,
  EpochsRise,
  HardStates,
  inputTopic,
  LeaseModel,
  type LedgerState,
  OneLeader,
  OneVote,
  type SimulatedUser,
  type StoreLife,
} from '@holdfast/testkit';
import type { HistoryEvent } from './event.ts';
import { MemoryBound } from './memory-bound.ts';
import { producedLedger } from './produced-ledger.ts';
import { callsOf, type History, type Recorded } from './read-history.ts';
import { livesOf } from './store-lives.ts';
import type { StoreStep } from './store-order.ts';
import type { StoredUnit } from './unit-order.ts';

export interface CheckOptions {
  readonly users: readonly SimulatedUser[];
  /** Of the store as it is in the end. */
  readonly generation: string;
  readonly stored: ReadonlyMap<string, StoredUnit>;
  readonly limits?: Partial<RecordLimits>;
  /** Whatever took the store's place was empty too. */
  readonly storesBeginEmpty?: boolean;
  /** A process with more has broken I21. */
  readonly rssBytesMax: number;
  /** The topic that holds dead letters. */
  readonly deadLetters: string;
}

export interface Verdict {
  readonly violations: readonly string[];
  /** How much each checker has seen. */
  readonly seen: Readonly<Record<string, number>>;
}

/** What happens at a moment: calls to the store where they can have taken effect, everything else as it was recorded. */
interface Moment {
  readonly atUs: number;
  readonly act: () => void;
}

const violationsMax = 50;

/**
 * Holds the history of real processes against the invariants, by the checkers of the simulated cluster: they hear of the
 * same events in an order in which these can have happened.
 */
export function checkHistory(history: History, options: CheckOptions): Verdict {
  const violations: string[] = [];
  const report = (text: string): void => {
    if (violations.length < violationsMax) violations.push(text);
  };
  const ledger = producedLedger(history, options.users, report);
  const model = new LeaseModel(report);
  const limits = { ...defaultRecordLimits, ...options.limits };
  const appliers = appliersOf(history);
  const checks = new ClusterChecks({
    report,
    ledger,
    limits,
    model,
    shardOf: (serial) => appliers.get(serial) ?? { serial, session: -1, index: -1 },
  });
  const control = new ControlHistory(model, checks, report);
  const memory = new MemoryBound(options.rssBytesMax, report);
  const lives = new Map(
    livesOf(history, options.stored, report, options.storesBeginEmpty).map(
      (lived) => [lived.life.generationId, lived] as const,
    ),
  );
  const last = [...lives.values()].at(-1)?.life;
  if (last === undefined || last.generationId !== options.generation)
    report(`the log ends in generation ${last?.generationId}, and the store in ${options.generation}`);
  for (const { life } of lives.values()) checks.onNewLife(life);

  let deadLetters = 0;
  const moments: Moment[] = [];
  const at = (atUs: number, act: () => void): void => void moments.push({ atUs, act });
  for (const { life, steps } of lives.values()) for (const step of steps) addStep(step, life, checks, at);
  for (const { asked } of callsOf(history, 'mark')) {
    const life = lives.get(asked.generation)?.life;
    if (life === undefined) continue;
    const marks = asked.marks.map(([bucket, topic, partition, offset]) => {
      return { bucket, partition: { topicId: topicId(topic), partition }, offset };
    });
    at(asked.t, () => {
      life.mark(marks);
      checks.onMarked(life, 0, marks);
    });
  }
  for (const { asked, done } of callsOf(history, 'commit')) {
    for (const [i, [, partition, offset, generationId, fence]] of asked.commits.entries()) {
      const id = { topicId: topicId(`id-of-${inputTopic}`), partition };
      const isFenced = done?.results[i] === 'fenced';
      at(asked.t, () => checks.onCommitted({ partition: id, offset, generationId, fence }, isFenced));
    }
  }
  for (const { asked, endUs } of callsOf(history, 'append')) {
    if (!Number.isFinite(endUs)) continue;
    const isDead = asked.topic === options.deadLetters;
    const topic = isDead ? deadLetterTopic : asked.topic;
    if (isDead) deadLetters += asked.records.length;
    const records = asked.records.map(([id, value]) => ({
      key: null,
      value: value === null ? null : new Uint8Array(Buffer.from(value, 'base64')),
      headers: { id },
    }));
    at(endUs, () => checks.onAppended(topic, records));
  }
  for (const recorded of history.events) {
    const act = actOf(recorded, checks, control, memory);
    if (act !== null) at(recorded.event.t, act);
  }
  for (const { act } of moments.sort((a, b) => a.atUs - b.atUs)) act();
  if (last !== undefined) checks.compare(last);
  return {
    violations,
    seen: {
      ...checks.seen,
      ...control.seen,
      claimsFenced: checks.claimsFenced,
      storeLives: lives.size,
      produced: ledger.count,
      deadLetters,
      rssBytesMost: memory.most,
    },
  };
}

function addStep(step: StoreStep, life: StoreLife, checks: ClusterChecks, at: (atUs: number, act: () => void) => void) {
  const { thread, atUs, answeredUs } = step;
  if (step.kind === 'row') {
    const { row, result } = step;
    at(atUs, () => {
      if (result.code === 'OK') life.backup(row);
      checks.onBackup(life, thread, row, result);
    });
    if (Number.isFinite(answeredUs)) at(answeredUs, () => checks.onBackupAnswered(thread, row, result));
    return;
  }
  const { claim, result } = step;
  at(atUs, () => {
    if (result.code === 'OK') life.claim(claim);
    checks.onClaimed(life, thread, claim, result);
  });
  if (Number.isFinite(answeredUs)) at(answeredUs, () => checks.onClaimAnswered(thread, claim, result));
}

function actOf(
  { thread, event }: Recorded,
  checks: ClusterChecks,
  control: ControlHistory,
  memory: MemoryBound,
): (() => void) | null {
  switch (event.k) {
    case 'apply': {
      const { u, p, o, count, print, order, owner } = event;
      const counts: number[] = [];
      const prints: number[] = [];
      if (print !== null) {
        counts[p] = count;
        prints[p] = print;
      }
      const state = { owner, counts, prints, order, total: 0, balance: 0, recent: new Map() } satisfies LedgerState;
      return () => checks.onApply(thread, new Uint8Array(Buffer.from(u, 'hex')), state, p, o);
    }
    case 'levels': {
      const { levels, rssBytes } = event;
      const stats = { get: (name: string) => levels[name] ?? 0 };
      const shard = { stats, settings: { serial: thread } } as unknown as Parameters<
        ClusterChecks['bounds']['look']
      >[0];
      return () => {
        checks.bounds.look(shard);
        memory.look(rssBytes);
      };
    }
    case 'report': {
      const from = { session: event.session as SessionId, shard: event.shard as ShardIndex };
      const { tableIndex } = event;
      // Of which frame doesn't matter.
      return () => checks.fencedReports.onReturn(from, { kind: 'durable', frame: 0, tableIndex });
    }
    case 'entry':
      return () => control.onEntry(event);
    case 'raft':
      return () => control.onRaft(event);
    default:
      return null;
  }
}

interface ShardName {
  readonly serial: number;
  readonly session: number;
  readonly index: number;
}

function appliersOf({ events }: History): Map<number, ShardName> {
  const shards = new Map<number, ShardName>();
  for (const { thread, event } of events)
    if (event.k === 'session') shards.set(thread, { serial: thread, session: event.session, index: event.shard });
  return shards;
}

/** The committed log as the nodes apply it, their leaders and votes: I1, I4, I11, I14, I15, I17. */
class ControlHistory {
  readonly #model: LeaseModel;
  readonly #checks: ClusterChecks;
  readonly #report: (text: string) => void;
  readonly #table = new LeaseTable();
  readonly #epochs: EpochsRise;
  readonly #leaders: OneLeader;
  readonly #votes: OneVote;
  readonly #hard: HardStates;
  readonly #entries = new Map<number, { readonly data: string; readonly term: number; readonly node: string }>();
  #applied = 0;
  #same = 0;

  constructor(model: LeaseModel, checks: ClusterChecks, report: (text: string) => void) {
    this.#model = model;
    this.#checks = checks;
    this.#report = report;
    this.#epochs = new EpochsRise(report, 0);
    this.#leaders = new OneLeader(report);
    this.#votes = new OneVote(report);
    this.#hard = new HardStates(report);
  }

  onEntry({ node, index, term, data }: Extract<HistoryEvent, { k: 'entry' }>): void {
    const known = this.#entries.get(index);
    if (known !== undefined) {
      this.#same++;
      if (known.data !== data || known.term !== term)
        this.#report(
          `I14: ${node} applies another entry at ${index} (term ${term}) than ${known.node} (term ${known.term})`,
        );
      return;
    }
    this.#entries.set(index, { data, term, node });
    if (index <= this.#applied) {
      this.#report(`I14: ${node} applies an entry at ${index}, where the others have none`);
      return;
    }
    this.#applied = index;
    const records = data === '' ? [] : decodeRecords(new Uint8Array(Buffer.from(data, 'base64')));
    for (const record of records) {
      this.#model.apply(record, index, 0);
      this.#table.replay(record, index);
    }
    this.#table.publishIndex(index);
    this.#model.compare(this.#table, index);
    this.#epochs.afterEntry(this.#table);
    this.#checks.onEntry(index, { term, committedInTerm: term, crc: 0, atMs: 0, records, digest: '' });
  }

  onRaft({ message }: Extract<HistoryEvent, { k: 'raft' }>): void {
    const seen = message as unknown as Parameters<OneLeader['onSent']>[0];
    this.#leaders.onSent(seen);
    this.#votes.onSent(seen);
    this.#hard.onSent(seen);
  }

  get seen(): Readonly<Record<string, number>> {
    return {
      entries: this.#entries.size,
      entriesCompared: this.#same,
      leases: this.#epochs.grants,
      leaders: this.#leaders.count,
      votes: this.#votes.count,
      sessionEnds: this.#model.ended.size,
    };
  }
}
