import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePorts } from '../cluster/support/free-ports.ts';
import { waitFor } from '../cluster/support/wait.ts';
import { redisBinaries } from './redis-binaries.ts';
import { type RedisConfig, RedisServer } from './redis-server.ts';

const deadlineMs = 30_000;

export const sentinelMasterName = 'store';

/** A master, a replica, and three Sentinels that watch them. */
export interface SentinelTrio {
  readonly master: RedisServer;
  readonly replica: RedisServer;
  readonly sentinels: readonly RedisServer[];
  /** The port of the master that the Sentinels name. */
  masterPort(): Promise<number>;
  stop(): Promise<void>;
}

/** The replica follows as a user of its own, so that a test can keep it from following. */
export async function startSentinelTrio(dir: string, downAfterMs = 1_000): Promise<SentinelTrio> {
  const ports = await freePorts(5);
  const data: RedisConfig = { appendonly: 'yes', masteruser: 'follower', masterauth: 'follow' };
  const follower = ['user follower on >follow allcommands allkeys allchannels'];
  const master = new RedisServer(ports[0]!, join(dir, 'master'), data, follower);
  const replica = new RedisServer(
    ports[1]!,
    join(dir, 'replica'),
    { ...data, replicaof: `127.0.0.1 ${master.port}` },
    follower,
  );
  await master.start();
  await replica.start();
  const sentinels = ports
    .slice(2)
    .map(
      (port, i) =>
        new RedisServer(port, join(dir, `sentinel-${i}`), {}, [
          `sentinel monitor ${sentinelMasterName} 127.0.0.1 ${master.port} 2`,
          `sentinel down-after-milliseconds ${sentinelMasterName} ${downAfterMs}`,
          `sentinel failover-timeout ${sentinelMasterName} 10000`,
        ]),
    );
  for (const sentinel of sentinels) await sentinel.start({}, true);
  const all = [...sentinels, replica, master];
  await waitFor('Sentinels that know each other and the replica', deadlineMs, async () => {
    for (const sentinel of sentinels) {
      const [about] = parseTable(await sentinel.cli('--raw', 'SENTINEL', 'MASTERS'));
      if (about?.get('num-slaves') !== '1' || about.get('num-other-sentinels') !== '2') return null;
    }
    return (await replica.cli('INFO', 'replication')).includes('master_link_status:up') ? true : null;
  });
  return {
    master,
    replica,
    sentinels,
    masterPort: async () => {
      const answer = await sentinels[0]!.cli('--raw', 'SENTINEL', 'GET-MASTER-ADDR-BY-NAME', sentinelMasterName);
      return Number(answer.split('\n')[1]);
    },
    stop: async () => {
      for (const server of all) await server.stop();
    },
  };
}

function parseTable(text: string): Map<string, string>[] {
  const lines = text.split('\n');
  const table = new Map<string, string>();
  for (let i = 0; i + 1 < lines.length; i += 2) table.set(lines[i]!, lines[i + 1]!);
  return [table];
}

/** Six nodes: three masters, a replica each. */
export interface RedisClusterService {
  readonly nodes: readonly RedisServer[];
  /** The nodes that are masters now. */
  masters(): Promise<readonly RedisServer[]>;
  stop(): Promise<void>;
}

export async function startRedisCluster(dir: string): Promise<RedisClusterService> {
  const ports = await freePorts(12);
  const nodes = ports.slice(0, 6).map(
    (port, i) =>
      new RedisServer(port, join(dir, `node-${i}`), {
        appendonly: 'yes',
        'cluster-enabled': 'yes',
        'cluster-port': String(ports[6 + i]),
        'cluster-node-timeout': '2000',
        'cluster-config-file': 'nodes.conf',
      }),
  );
  await Promise.all(nodes.map((node) => node.start()));
  const addresses = nodes.map(({ address }) => address);
  const create = ['--cluster', 'create', ...addresses, '--cluster-replicas', '1', '--cluster-yes'];
  await promisify(execFile)(redisBinaries().cli, create, { timeout: 60_000 });
  await waitFor('a cluster that is whole', deadlineMs, async () => {
    for (const node of nodes) {
      if (!(await node.cli('CLUSTER', 'INFO')).includes('cluster_state:ok')) return null;
      const isReplica = (await node.cli('INFO', 'replication')).includes('role:slave');
      if (isReplica && !(await node.cli('INFO', 'replication')).includes('master_link_status:up')) return null;
    }
    return true;
  });
  return {
    nodes,
    masters: async () => {
      const roles = await Promise.all(
        nodes.map((node) =>
          node.cli('INFO', 'replication').then(
            (info) => info.includes('role:master'),
            () => false,
          ),
        ),
      );
      return nodes.filter((_, i) => roles[i]);
    },
    stop: async () => {
      for (const node of nodes) await node.stop();
    },
  };
}
