import { formatUnit, type Rng, randomBelow, randomRatio, SeededRng } from '@holdfast/model';
import { counts, drawUsers, encodeRecord, inputTopic, type RecordKind, type SimulatedUser } from '@holdfast/testkit';
import { pause } from '../../cluster/support/wait.ts';
import type { ProducedLine } from '../history/event.ts';
import { type HistoryFile, nowUs } from '../history/history-file.ts';
import type { ChaosServices } from './services.ts';

export interface WorkloadPlan {
  readonly users: number;
  readonly recordsPerSec: number;
  /** Part of all records that one user gets, beside its share by Zipf's law. */
  readonly hotRatio: number;
  readonly zipfExponent: number;
  /** Parts of 40 of the records that aren't simply counted, by kind. */
  readonly kinds: Readonly<Partial<Record<RecordKind, number>>>;
  /** Who they are, if not the simulator's users. */
  readonly draw?: (rng: Rng, count: number) => SimulatedUser[];
  /** Bytes of padding; drawn per record. */
  readonly padding: (draw: number) => number;
}

export const defaultWorkload: WorkloadPlan = {
  users: 600,
  recordsPerSec: 800,
  hotRatio: 0,
  zipfExponent: 1,
  kinds: { '-': 1, '?': 1, x: 1, t: 1, s: 1, e: 8 },
  padding: (draw) => (draw % 200 === 0 ? 3_000 : draw % 20),
};

/** The users of a run: a plan and a seed give the same ones again. */
export function usersOf({ users, draw = drawUsers }: WorkloadPlan, seed: number): SimulatedUser[] {
  return draw(new SeededRng(seed), users);
}

const batchMs = 50;
/** Records in one append, at most. */
const appendMax = 4_000;
const nobody = new Uint8Array(0);

/** Feeds the input, a user's records over all partitions, and writes down what it produced. */
export class Workload {
  readonly users: readonly SimulatedUser[];
  readonly #services: ChaosServices;
  readonly #plan: WorkloadPlan;
  readonly #partitions: number;
  readonly #history: HistoryFile;
  readonly #rng: SeededRng;
  readonly #shares: readonly number[];
  readonly #kinds: readonly RecordKind[];
  readonly #countedUnits = new Set<string>();
  #running = false;
  #done: Promise<void> = Promise.resolve();
  #failure: unknown = null;
  count = 0;
  /** Multiplies the rate, from now on. */
  rateFactor = 1;

  constructor(services: ChaosServices, plan: WorkloadPlan, partitions: number, seed: number, history: HistoryFile) {
    this.#services = services;
    this.#plan = plan;
    this.#partitions = partitions;
    this.#history = history;
    this.users = usersOf(plan, seed);
    this.#rng = new SeededRng(seed + 1);
    const weights = this.users.map((_, i) => 1 / (i + 1) ** plan.zipfExponent);
    const sum = weights.reduce((total, weight) => total + weight, 0);
    if (plan.hotRatio > 0) weights[0]! += (sum * plan.hotRatio) / (1 - plan.hotRatio);
    let at = 0;
    this.#shares = weights.map((weight) => (at += weight));
    this.#kinds = Object.entries(plan.kinds).flatMap(([kind, n]) =>
      Array.from({ length: n }, () => kind as RecordKind),
    );
  }

  /** Units that have something to hold. */
  get unitsCounted(): number {
    return this.#countedUnits.size;
  }

  start(): void {
    this.#running = true;
    this.#done = this.#feed().catch((error: unknown) => {
      this.#failure = error;
    });
  }

  /** Ends when what is under way is in the log. */
  async stop(): Promise<void> {
    this.#running = false;
    await this.#done;
    if (this.#failure !== null) throw new Error('the workload could not be fed', { cause: this.#failure });
  }

  /** So many records at once, beside the stream. */
  async burst(records: number): Promise<void> {
    await this.#append(Array.from({ length: records }, () => this.#next()));
  }

  /** One record of some user, of about so many bytes. */
  async one(kind: RecordKind, bytes: number): Promise<void> {
    await this.#append([this.#lineOf(this.users[randomBelow(this.#rng, this.users.length)]!, kind, bytes)]);
  }

  /** One record that would count, were it not larger than any may be: a dead letter of some user's. */
  async oneTooLarge(bytes: number): Promise<void> {
    const [, , amount, value] = this.#lineOf(this.users[randomBelow(this.#rng, this.users.length)]!, 'r', bytes);
    await this.#append([['?', null, amount, value]]);
  }

  /** One record that would count, were its key not longer than any may be. */
  async oneKeyTooLong(keyBytes: number): Promise<void> {
    const value = encodeRecord('r', new Uint8Array(keyBytes).fill(0x6b), 1, 0);
    await this.#append([['?', null, 1, Buffer.from(value).toString('base64')]]);
  }

  /** One record for every user, so that each has to be held by somebody. */
  async oneEach(): Promise<void> {
    for (let at = 0; at < this.users.length; at += appendMax)
      await this.#append(this.users.slice(at, at + appendMax).map((user) => this.#lineOf(user, 'r')));
  }

  async #feed(): Promise<void> {
    let lastMs = performance.now();
    let owed = 0;
    while (this.#running) {
      const nowMs = performance.now();
      owed += ((nowMs - lastMs) / 1_000) * this.#plan.recordsPerSec * this.rateFactor;
      lastMs = nowMs;
      // After a time in which the log took nothing, not all at once.
      const due = Math.min(Math.floor(owed), this.#plan.recordsPerSec);
      owed -= due;
      if (due > 0) await this.burst(due);
      await pause(batchMs);
    }
  }

  async #append(records: readonly ProducedLine[]): Promise<void> {
    const batches: ProducedLine[][] = Array.from({ length: this.#partitions }, () => []);
    for (const line of records) batches[randomBelow(this.#rng, this.#partitions)]!.push(line);
    for (const [partition, lines] of batches.entries()) {
      if (lines.length === 0) continue;
      const id = this.#history.nextCall();
      this.#history.write({ t: nowUs(), k: 'produce', id, partition, records: lines });
      const first = await this.#services.log.append(
        inputTopic,
        partition,
        lines.map(([, , , value]) => ({ key: null, value: value === null ? null : Buffer.from(value, 'base64') })),
      );
      this.#history.write({ t: nowUs(), k: 'produceDone', id, first });
      this.count += lines.length;
    }
  }

  #next(): ProducedLine {
    const rng = this.#rng;
    const at = randomRatio(rng) * this.#shares.at(-1)!;
    let low = 0;
    for (let high = this.#shares.length - 1; low < high; ) {
      const middle = (low + high) >> 1;
      if (this.#shares[middle]! > at) high = middle;
      else low = middle + 1;
    }
    const user = this.users[low]!;
    const kind = this.#kinds[randomBelow(rng, 40)] ?? 'r';
    return this.#lineOf(user, kind);
  }

  #lineOf(user: SimulatedUser, kind: RecordKind, bytes?: number): ProducedLine {
    const rng = this.#rng;
    const amount = randomBelow(rng, 2_000) - 1_000;
    const isTombstone = kind === 's' && randomBelow(rng, 2) === 0;
    if (isTombstone) return ['tombstone', null, amount, null];
    const hasUser = kind !== '-' && kind !== '?';
    const padding = bytes ?? this.#plan.padding(randomBelow(rng, 100_000));
    const value = encodeRecord(kind, hasUser ? user.key : nobody, amount, padding);
    if (counts(kind)) this.#countedUnits.add(formatUnit(user.unit.hi, user.unit.lo));
    return [kind, hasUser ? user.hex : null, amount, Buffer.from(value).toString('base64')];
  }
}
