import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';

/** One figure of a benchmark. A throughput has CPU-seconds per million records beside it, in a figure of its own. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
}

/** `npm run bench -- [NAME] [--json FILE]`: runs a benchmark and prints its figures. */
const benchmarks: Readonly<Record<string, () => Promise<Figure[]>>> = {
  pipeline: async () => (await import('./pipeline/pipeline.ts')).pipeline(),
  membership: async () => (await import('./membership/figures.ts')).membership(),
  moves: async () => (await import('./moves/moves.ts')).moves(),
  failover: async () => (await import('./failover/run.ts')).failover(),
  fetch: async () => (await import('./fetch/fetch.ts')).fetchRate(),
  leases: async () => (await import('./leases/run.ts')).leases(),
  services: async () => (await import('./services/services.ts')).services(),
  store: async () => (await import('./store/store.ts')).store(),
};

const given = readArgs();
if (given === null) {
  console.error(`usage: npm run bench -- [${Object.keys(benchmarks).join('|')}]... [--json FILE]`);
  process.exit(2);
}
const { values, positionals } = given;
const names = positionals.length > 0 ? positionals : Object.keys(benchmarks);
const unknown = names.filter((name) => !Object.hasOwn(benchmarks, name));
if (unknown.length > 0) {
  console.error(`unknown benchmark ${unknown.join(', ')}; known: ${Object.keys(benchmarks).join(', ')}`);
  process.exit(2);
}
function readArgs() {
  try {
    return parseArgs({ options: { json: { type: 'string' } }, allowPositionals: true });
  } catch {
    return null;
  }
}

const machine = { cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length };
const versions = { node: process.version, holdfast: '0.1.0' };
const figures: (Figure & { machine: typeof machine; versions: typeof versions })[] = [];
for (const name of names) {
  for (const figure of await benchmarks[name]!()) {
    figures.push({ ...figure, name: `${name}/${figure.name}`, machine, versions });
    console.log(`${`${name}/${figure.name}`.padEnd(48)} ${figure.value.toPrecision(4).padStart(10)} ${figure.unit}`);
  }
}
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(figures, null, 2)}\n`);
process.exit(0);
