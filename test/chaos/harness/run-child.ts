import { parseArgs } from 'node:util';
import { ChaosNetwork } from '../network/chaos-network.ts';
import { scenarioOf } from '../scenarios/index.ts';
import { runScenario, writeResult } from './run-scenario.ts';

/** The process that runs one scenario once, inside of the namespaces that its parent made for it. */
const { values } = parseArgs({
  options: {
    scenario: { type: 'string' },
    seed: { type: 'string' },
    dir: { type: 'string' },
    network: { type: 'string' },
  },
});
const { scenario: name = '', seed = '1', dir = '', network: tag } = values;
const scenario = scenarioOf(name)!;
const network = tag === undefined ? null : new ChaosNetwork(tag, scenario.cluster?.nodes ?? 3);
try {
  const result = await runScenario({ scenario, seed: Number(seed), dir, network, say: (text) => console.log(text) });
  writeResult(dir, result);
  process.exitCode = result.violations.length === 0 ? 0 : 1;
} catch (error) {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  writeResult(dir, { error: text });
  console.error(text);
  // What was opened before the failure would keep this process until its deadline.
  process.exit(1);
}
