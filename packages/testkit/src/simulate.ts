import { parseArgs } from 'node:util';
import { clusterProfile } from './cluster-simulation/seeds.ts';
import { controlProfile } from './control-simulation/seeds.ts';
import { gossipProfile } from './gossip/seeds.ts';
import { faultKinds } from './record-simulation/actions.ts';
import { type ProfileName, profileNames } from './record-simulation/profile.ts';
import { RecordSimulation } from './record-simulation/simulation.ts';
import { SimulationFailure } from './simulation/failure.ts';
import { JsonLinesError } from './simulation/json-lines.ts';
import { runSeeds, type SeedProfile } from './simulation/run-seeds.ts';

/**
 * Runs many seeds of a simulation, or one again: of the record path, of the control plane, of the whole cluster, or
 * of gossip.
 * `npm run sim -- [--seeds N] [--seed FIRST] [--profile mixed|focus|late|voided|forced|control|cluster|gossip] [--trace] [--stop] [--resume FILE]`
 */

/** Simulations in virtual time, and how many seeds of each are run unless it is said. */
const virtual: readonly (readonly [profile: SeedProfile, seeds: number])[] = [
  [controlProfile, 300],
  [clusterProfile, 200],
  [gossipProfile, 1_000],
];
const names = [...profileNames, ...virtual.map(([{ name }]) => name)];

const usage = `usage: npm run sim -- [--seeds N] [--seed FIRST] [--profile ${names.join('|')}] [--trace] [--stop] [--resume FILE]
  --seeds    how many seeds (2000, ${virtual.map(([{ name }, n]) => `of ${name} ${n}`).join(', ')}; 1 with --seed or --trace)
  --seed     the first of them (1)
  --profile  mixed (the default): every fault; focus: around losses of the store;
             late: shards notice long after their table what it shows;
             voided: moves to who ends meanwhile, with slow rows;
             forced: leases are taken away all the time;
             control: the control planes of a cluster, each seed two virtual minutes and more;
             cluster: whole clusters, the shipped engine with records, log and store, two minutes or ten
             gossip: the SWIM core alone
  --trace    print the history of the first seed
  --stop     end at the first seed that fails
  --resume   of control, cluster and gossip: remember in FILE what is done, and go on there`;

/** From this many seeds on, a kind of fault that never fired fails the run: it proved nothing about that kind. */
const seedsThatShowAll = 1_000;

interface Settings {
  readonly seeds: number;
  readonly first: number;
  readonly profile: string;
  readonly trace: boolean;
  readonly stop: boolean;
  readonly resume: string | null;
}

/** Null when they make no sense. */
function readSettings(args: readonly string[]): Settings | null {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        seeds: { type: 'string' },
        seed: { type: 'string' },
        profile: { type: 'string', default: 'mixed' },
        trace: { type: 'boolean', default: false },
        stop: { type: 'boolean', default: false },
        resume: { type: 'string' },
      },
    });
    const first = Number(values.seed ?? 1);
    const profile = names.find((name) => name === values.profile);
    const most = virtual.find(([{ name }]) => name === profile)?.[1] ?? 2_000;
    const seeds = Number(values.seeds ?? (values.seed === undefined && !values.trace ? most : 1));
    if (!Number.isInteger(first) || !Number.isInteger(seeds) || seeds < 1 || profile === undefined) return null;
    const { trace, stop, resume = null } = values;
    if (resume !== null && profileNames.includes(profile as ProfileName)) return null;
    return { seeds, first, profile, trace, stop, resume };
  } catch {
    return null;
  }
}

function runRecordSeeds({ seeds, first, trace, stop }: Settings, profile: ProfileName): number {
  const faults: Record<string, number> = {};
  let passed = 0;
  let failed = 0;
  const startMs = performance.now();
  for (let seed = first; seed < first + seeds && !(stop && failed > 0); seed++) {
    const simulation = new RecordSimulation(seed, profile);
    let failure: unknown = null;
    try {
      const result = simulation.run();
      for (const [name, n] of Object.entries(result.faults)) faults[name] = (faults[name] ?? 0) + n;
      passed++;
    } catch (error) {
      failure = error;
      failed++;
    }
    if (trace && seed === first) for (const line of simulation.trace) console.log(line);
    if (failure === null) continue;
    console.log(`seed ${seed}: ${failure instanceof SimulationFailure ? failure.message : failure}`);
    console.log(`  again: npm run sim -- --profile ${profile} --seed ${seed} --trace`);
  }
  const seconds = (performance.now() - startMs) / 1000;
  console.log(`${profile}: ${((passed + failed) / seconds).toFixed(0)} seeds/s`);
  console.log(`faults: ${faultKinds.map((kind) => `${kind} ${faults[kind] ?? 0}`).join(', ')}`);
  const silent = faultKinds.filter((kind) => (faults[kind] ?? 0) === 0);
  if (passed >= seedsThatShowAll && silent.length > 0) {
    console.log(`never fired: ${silent.join(', ')}`);
    failed++;
  }
  console.log(`${passed} passed, ${failed} failed`);
  return failed;
}

const settings = readSettings(process.argv.slice(2));
if (settings === null) {
  console.error(usage);
  process.exitCode = 2;
} else {
  const profile = virtual.map(([each]) => each).find(({ name }) => name === settings.profile);
  const print = (line: string): void => console.log(line);
  try {
    const failed =
      profile === undefined
        ? runRecordSeeds(settings, settings.profile as ProfileName)
        : await runSeeds(profile, { ...settings, print });
    process.exitCode = failed === 0 ? 0 : 1;
  } catch (error) {
    if (!(error instanceof JsonLinesError)) throw error;
    console.error(error.message);
    process.exitCode = 2;
  }
}
