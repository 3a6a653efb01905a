import { randomBelow, randomRatio } from '@holdfast/model';
import { inputTopic } from './cluster-job.ts';
import type { ClusterWorld } from './cluster-world.ts';
import { encodeRecord, type RecordKind } from './record-format.ts';
import type { SimulatedUser } from './users.ts';

const burstMax = 40;
/** Of 40 records: what becomes of those that don't simply count. */
const kinds: readonly RecordKind[] = ['-', '?', 'x', 't', 's', ...Array.from({ length: 10 }, () => 'e' as const)];

/** Appends a round's records over its time: in bursts, every user's over all partitions. */
export class Producers {
  readonly #world: ClusterWorld;
  #left = 0;
  #partition = 0;

  constructor(world: ClusterWorld) {
    this.#world = world;
  }

  begin(records: number, durationMs: number): void {
    this.#left = records;
    const gapMs = durationMs / (records / (burstMax / 2));
    const again = (): void => {
      this.#world.time.after(randomRatio(this.#world.rng) * 2 * gapMs, 'produce', () => {
        this.#burst(Math.min(this.#left, 1 + randomBelow(this.#world.rng, burstMax)));
        if (this.#left > 0) again();
      });
    };
    again();
  }

  /** All that is left, at once. */
  finish(): void {
    while (this.#left > 0) this.#burst(Math.min(this.#left, burstMax));
  }

  /** One more for each partition: whatever was done to committed offsets, there is something to commit. */
  oneEach(): void {
    const { partitions } = this.#world.log.describe(inputTopic)!;
    for (let partition = 0; partition < partitions; partition++) this.#one(partition);
  }

  /** One more for each user, over all partitions: every unit has to work, also those that the faults met last. */
  eachUser(): void {
    const { plan, log, time, checks } = this.#world;
    const { partitions } = log.describe(inputTopic)!;
    for (const user of plan.users) this.#append(user.index % partitions, user, 'r');
    this.#world.allFed = { atMs: time.nowMs, index: checks.log.lastIndex };
  }

  /** A record that ends who applies it, or spoils its state, of one user in each round. */
  deadly(kind: 'k' | 'z', round: number): void {
    const { plan, ledger, log, time } = this.#world;
    const { partitions } = log.describe(inputTopic)!;
    const user = plan.users[((plan.users.length >> 1) + round) % plan.users.length]!;
    const appendedUnixMs = wallUnixMs(time.nowMs);
    const record = { key: null, value: encodeRecord(kind, user.key, 0, 0), amount: 0, appendedUnixMs };
    ledger.note(round % partitions, { ...record, kind, user });
    log.append(inputTopic, round % partitions, [record], appendedUnixMs);
    if (kind === 'z') this.#world.records.quarantine.onSpoilt(user.unitKey);
  }

  #burst(count: number): void {
    const { rng, plan, log } = this.#world;
    const { partitions } = log.describe(inputTopic)!;
    for (let i = 0; i < count; i++) {
      if (randomRatio(rng) >= plan.stickiness) this.#partition = randomBelow(rng, partitions);
      this.#one(this.#partition);
    }
    this.#left -= count;
  }

  #one(partition: number): void {
    const { rng, plan } = this.#world;
    const at = randomRatio(rng);
    const user =
      plan.users[
        Math.max(
          0,
          plan.shares.findIndex((share) => share >= at),
        )
      ]!;
    this.#append(partition, user, kinds[randomBelow(rng, 40)] ?? 'r');
  }

  #append(partition: number, user: SimulatedUser, kind: RecordKind): void {
    const { rng, ledger, log, time } = this.#world;
    const hasUser = kind !== '-' && kind !== '?';
    const amount = randomBelow(rng, 2_000) - 1_000;
    const appendedUnixMs = saidUnixMs(time.nowMs, ledger.partitions[partition]?.length ?? 0);
    const isTombstone = kind === 's' && randomBelow(rng, 2) === 0;
    const padding = randomBelow(rng, 200) === 0 ? 3_000 : randomBelow(rng, 20);
    const value = isTombstone ? null : encodeRecord(kind, hasUser ? user.key : nobody, amount, padding);
    const key = randomBelow(rng, 3) === 0 ? user.key : null;
    const record = { key, value, amount, appendedUnixMs };
    ledger.note(partition, {
      ...record,
      kind: isTombstone ? 'tombstone' : kind,
      user: hasUser && !isTombstone ? user : null,
    });
    log.append(inputTopic, partition, [record], appendedUnixMs);
  }
}

const nobody = new Uint8Array(0);
const wallUnixMs = (nowMs: number): number => 1_700_000_000_000 + Math.floor(nowMs);

/** What a producer says that the time is: one has no clock, another one is forty days behind. */
function saidUnixMs(nowMs: number, offset: number): number {
  if (offset % 41 === 7) return 0;
  return wallUnixMs(nowMs) - (offset % 41 === 19 ? 40 * 86_400_000 : 0);
}
