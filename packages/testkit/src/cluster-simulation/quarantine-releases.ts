import { operatorAct } from '../simulation/operator-act.ts';
import type { WorldRun } from '../simulation/simulated-run.ts';
import type { ClusterWorld } from './cluster-world.ts';
import { releaseFaultKind } from './fault-kinds.ts';

const askEveryMs = 4_000;
const asksMax = 5;
/** Every shard has heard of it by then: a holder that hasn't may still bury what comes after the release (ADR 17). */
const heardMs = 2_000;

/**
 * An operator releases all users that are in quarantine, while no fault is under way and all is durable. The faults come
 * after it: whoever reads again what lies before the release has to leave it buried.
 */
export class QuarantineReleases {
  readonly #world: ClusterWorld;
  readonly #run: WorldRun;

  constructor(world: ClusterWorld, run: WorldRun) {
    this.#world = world;
    this.#run = run;
  }

  async all(): Promise<void> {
    const { present } = this.#world.records.quarantine;
    for (const unitKey of [...present]) await this.#one(unitKey);
    await this.#run.pass(heardMs);
  }

  async #one(unitKey: string): Promise<void> {
    const { plan, upNodes, records } = this.#world;
    const { hi, lo } = plan.users.find((user) => user.unitKey === unitKey)!.unit;
    const isReleased = (): boolean => !records.quarantine.present.has(unitKey);
    for (let asks = 0; asks < asksMax; asks++) {
      operatorAct(upNodes[0]!, { kind: 'liftQuarantine', hi, lo }, () =>
        this.#world.faultHappened(releaseFaultKind, unitKey),
      );
      if (await this.#run.pass(askEveryMs, isReleased)) return;
    }
    this.#run.fail(`6.3: ${asksMax * askEveryMs} ms after an operator asked for it unit ${unitKey} isn't released`);
  }
}
