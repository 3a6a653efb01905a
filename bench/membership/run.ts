import { cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { type Adapter, killFigures, quietFigures } from './processes.ts';
import { virtualFigures } from './virtual.ts';

/**
 * Figures of failure detection, as JSON: of the core in virtual time, and of processes on this machine.
 * `node --conditions=source bench/membership/run.ts [--hours 24] [--kills 1000] [--processes ADAPTER,…] [--process-kills 20]
 * [--seconds 60]`. Those of processes need a quiet machine; those in virtual time are the same on any.
 */
const adapters: readonly Adapter[] = ['lifeguard', 'swim', 'plainSwim', 'plainSwimDefaults'];

const { values } = parseArgs({
  options: {
    hours: { type: 'string', default: '24' },
    kills: { type: 'string', default: '1000' },
    processes: { type: 'string', default: '' },
    'process-kills': { type: 'string', default: '20' },
    seconds: { type: 'string', default: '60' },
  },
});
const chosen = values.processes.split(',').filter((name) => name !== '') as Adapter[];
const unknown = chosen.filter((name) => !adapters.includes(name));
if (unknown.length > 0) {
  console.error(`unknown adapter ${unknown.join(', ')}; known: ${adapters.join(', ')}`);
  process.exit(2);
}

const figures: Record<string, unknown> = {
  machine: { cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length, load: loadavg()[0] },
  node: process.version,
};
if (Number(values.hours) > 0) figures.virtual = virtualFigures(Number(values.hours), Number(values.kills));
for (const adapter of chosen) {
  const seconds = Number(values.seconds);
  figures[adapter] = {
    kill: await killFigures(adapter, Number(values['process-kills'])),
    idle: await quietFigures(adapter, seconds, 'none', 0),
    loss5: await quietFigures(adapter, seconds, 'none', 0.05),
    loss20: await quietFigures(adapter, seconds, 'none', 0.2),
    strobe: await quietFigures(adapter, seconds, 'strobe', 0),
    pauses: await quietFigures(adapter, seconds, 'pauses', 0),
  };
}
console.log(JSON.stringify(figures, null, 2));
