import { beginBackground, repeat, takeBack } from '../simulation/background.ts';
import { Faults } from '../simulation/faults.ts';
import { calmMs, heal } from '../simulation/liveness.ts';
import { runSimulation, type SeedOutcome, type SimulationResult, WorldRun } from '../simulation/simulated-run.ts';
import { bendRow } from './bent-rows.ts';
import { ClusterWorld } from './cluster-world.ts';
import { whatIsMissing } from './liveness.ts';
import { Producers } from './producers.ts';
import { QuarantineReleases } from './quarantine-releases.ts';
import { StoreOperator } from './store-operator.ts';
import { type HistorySize, whyThin } from './why-thin.ts';
import { withQueuesWatched } from './with-queues-watched.ts';

/** Runs a seed, twice if wanted. Never rejects. */
export function runSeed(
  seed: number,
  { trace, twice }: { readonly trace: boolean; readonly twice: boolean },
): Promise<SeedOutcome> {
  return runSimulation(() => new ClusterSimulation(seed, trace), twice);
}

/** Time to look at queues. */
const lookMs = 500;
/** An operator moves a busy unit at these parts of a round, whatever other faults there are. */
const moveAt = [0.2, 0.4, 0.6, 0.8];
/** And a deadly or spoiling record comes, or a row is bent, at this part. */
const deadlyAt = 0.35;
/** In the first rounds only: there has to be somebody left. */
const deadlyRounds = 3;
/** The last records come so long after the last fault. */
const lastRecordsMs = 3_000;
/** A move in a cluster that is in order takes no longer. */
const calmMoveMs = 2_000;
/** Once faults have stopped, everything is in order and durable within this time. */
const recoveryMsMax = 60_000;

/**
 * A whole cluster in virtual time, one seed one history: rounds of faults under a load of records, with the invariants
 * checked after every event; after each, all has to come in order and to be durable, and is compared user by user.
 */
export class ClusterSimulation {
  readonly #world: ClusterWorld;
  readonly #run: WorldRun;
  readonly #storeOperator: StoreOperator;

  constructor(seed: number, isTraced = false) {
    this.#world = new ClusterWorld(seed, isTraced);
    this.#run = new WorldRun(this.#world);
    this.#storeOperator = new StoreOperator(this.#world);
  }

  /** What happened, in order; empty unless traced. */
  get trace(): readonly string[] {
    return this.#world.trace.lines;
  }

  /** Runs to the end. @throws SimulationFailure naming what broke */
  run(): Promise<SimulationResult> {
    return this.#run.within(() => withQueuesWatched(this.#world.queues, () => this.#toTheEnd()));
  }

  async #toTheEnd(): Promise<SimulationResult> {
    const world = this.#world;
    const run = this.#run;
    const { plan, records } = world;
    for (const node of world.nodes) node.begin();
    beginBackground(world);
    repeat(world, 'queues', lookMs, () => {
      for (const shard of world.liveShards()) records.bounds.look(shard);
      if (!world.isHealing) return;
      takeBack(world);
      this.#storeOperator.look();
    });
    const faults = new Faults(world);
    const producers = new Producers(world);
    for (let round = 0; round < plan.rounds; round++) {
      world.isHealing = false;
      producers.begin(plan.recordsPerRound, plan.roundMs);
      faults.begin();
      const kind = plan.isDeadly ? 'k' : plan.isSpoiling ? 'z' : null;
      if (kind !== null && round < deadlyRounds)
        world.time.after(deadlyAt * plan.roundMs, 'deadly', () => producers.deadly(kind, round));
      if (plan.isBending && round < deadlyRounds)
        world.time.after(deadlyAt * plan.roundMs, 'bend', () => bendRow(world, round));
      for (const part of moveAt) world.time.after(part * plan.roundMs, 'move', () => world.planMove());
      await run.pass(plan.roundMs);
      producers.finish();
      heal(world);
      world.store.heal();
      world.log.heal();
      world.streams.heal();
      await run.pass(lastRecordsMs);
      if (round < plan.rounds - 1) producers.oneEach();
      else producers.eachUser();
      await this.#recover();
      // Where none has taken effect under fire.
      if (records.appliers.moves === 0) {
        world.planMove();
        await run.pass(calmMoveMs);
      }
      records.compare(world.store.life);
      await run.pass(0);
      if (plan.isReleasing && round < plan.rounds - 1) await new QuarantineReleases(world, run).all();
    }
    await run.stayCalm(calmMs);
    return this.#result();
  }

  /** Comes in order within its time after the last fault: also after the last process that a record has ended. */
  async #recover(): Promise<void> {
    const world = this.#world;
    let faultMs: number;
    do {
      faultMs = world.lastDeathMs;
      if (await this.#run.pass(recoveryMsMax, () => whatIsMissing(world) === null)) return;
    } while (world.lastDeathMs > faultMs);
    this.#run.fail(`I8: ${recoveryMsMax} ms after the last fault ${whatIsMissing(world)}`);
  }

  #result(): SimulationResult {
    const { time, checks, records, faults, trace, queues, flights } = this.#world;
    const met = Object.entries({ ...queues.met, ...flights.met });
    const seen: Record<string, number> = {
      ...checks.seen,
      ...records.seen,
      streams: this.#world.streams.opened,
      storesEmptied: this.#storeOperator.count,
      storesReplaced: this.#world.store.replaced,
      slowRecords: this.#world.slowRecords,
      ...Object.fromEntries(met.map(([name, times]) => [`${name}Full`, times])),
    };
    return {
      virtualMs: time.nowMs,
      events: time.eventCount,
      faults,
      seen,
      thin: whyThin(this.#size(records.appliers.moves)),
      hash: trace.hash,
    };
  }

  #size(moves: number): HistorySize {
    const { time, ledger, log, faults, checks, plan } = this.#world;
    const ends = [...checks.model.ended.values()];
    return {
      virtualMs: time.nowMs,
      virtualMsMin: plan.virtualMsMin,
      records: ledger.count,
      partitions: log.offsetsAt('in', 'latest').length,
      faults: Object.values(faults).reduce((sum, n) => sum + n, 0),
      ends: ends.length,
      uncleanEnds: ends.filter(({ reason }) => reason !== 'clean').length,
      moves,
    };
  }
}
