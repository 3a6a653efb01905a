import { silentLogger } from '@holdfast/model';
import { createClient } from '../../../packages/backup-redis/src/client.ts';
import { compileRedisOptions } from '../../../packages/backup-redis/src/options.ts';

/** A process of its own: connects to the Cluster at these addresses, and closes its client while that looks for the masters. */
const client = createClient(compileRedisOptions({ cluster: { nodes: process.argv.slice(2) } }), silentLogger);
await client.connect();
client.once('refresh', () => {
  console.log('closed');
  client.disconnect();
});
