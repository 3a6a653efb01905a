import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runFolder } from './dev-file.ts';
import { freePorts } from './free-ports.ts';

/** A node of a dev cluster, before it runs. */
export interface DevNode {
  readonly id: string;
  readonly address: string;
  readonly configPath: string;
  readonly logPath: string;
}

export interface NodeSettings {
  readonly nodes: number;
  readonly shards: number;
  readonly mapping: string;
  readonly backupIntervalMs: number;
}

const host = '127.0.0.1';
export const drainDeadlineMs = 20_000;

/** What the nodes of a dev cluster are called. */
export function devNodeIds(nodes: number): string[] {
  return Array.from({ length: nodes }, (_, i) => `n${i + 1}`);
}

/** Writes the configuration of each node below the data folder, with ports of their own for this run. */
export async function writeNodeFiles(dataDir: string, settings: NodeSettings): Promise<DevNode[]> {
  const dir = runFolder(dataDir);
  mkdirSync(dir, { recursive: true });
  const ports = await freePorts(host, settings.nodes * 3);
  const peers = devNodeIds(settings.nodes).map((id, i) => {
    return { id, address: `${host}:${ports[3 * i]}`, gossip: `${host}:${ports[3 * i + 1]}` };
  });
  return peers.map(({ id, address, gossip }, i) => {
    const config = {
      node: { id },
      cluster: { name: 'dev', peers },
      data: dataDir,
      listen: { control: address, gossip, shards: `${host}:0`, http: `${host}:${ports[3 * i + 2]}` },
      shards: settings.shards,
      job: { mapping: settings.mapping },
      backup: { interval: `${settings.backupIntervalMs}ms` },
      drain: { deadline: `${drainDeadlineMs}ms` },
    };
    const configPath = join(dir, `${id}.json`);
    writeFileSync(configPath, `${JSON.stringify(config, null, 2)}\n`);
    return { id, address, configPath, logPath: join(dir, `${id}.log`) };
  });
}
