import { writeFileSync } from 'node:fs';
import { ChaosNetwork } from '../../test/chaos/network/chaos-network.ts';
import { failoverOn } from './run.ts';

/** Measures partitions, inside of the namespaces that its parent made: tag of the network, and where figures go. */
const [tag = '', figuresPath = ''] = process.argv.slice(2);
writeFileSync(figuresPath, JSON.stringify(await failoverOn(new ChaosNetwork(tag, 3), ['partition'])));
process.exit(0);
