import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { failed, usage } from './cli-error.ts';
import { readDevFile } from './dev/dev-file.ts';
import type { Io } from './io.ts';
import type { ClientOptions } from './options.ts';

export const defaultAddress = '127.0.0.1:7400';

/**
 * Whom a command asks: --addr, else the dev cluster of --data, else HOLDFAST_ADDR, else this machine's default.
 * @throws CliError when an address is none, or the folder has no dev cluster
 */
export function clientAddresses(options: Pick<ClientOptions, 'addr' | 'data'>, io: Pick<Io, 'env'>): string[] {
  if (options.addr !== undefined) return parseAddresses(options.addr, '--addr');
  if (options.data !== undefined) return devAddresses(options.data);
  const fromEnv = io.env.HOLDFAST_ADDR;
  return fromEnv === undefined || fromEnv === '' ? [defaultAddress] : parseAddresses(fromEnv, 'HOLDFAST_ADDR');
}

function parseAddresses(text: string, origin: string): string[] {
  const addresses = text.split(',').map((part) => part.trim());
  for (const address of addresses) {
    const port = /^(?:\[[0-9a-fA-F:.]+\]|[^\s:[\]/]+):(\d{1,5})$/.exec(address)?.[1];
    if (Number(port) >= 1 && Number(port) <= 65_535) continue;
    throw usage(`${origin}: '${address}' is no HOST:PORT`);
  }
  return addresses;
}

function devAddresses(dir: string): string[] {
  requireDataFolder(dir);
  const file = readDevFile(dir);
  if (file === null) {
    throw failed('NO_DEV_CLUSTER', `no dev cluster has run on ${dir}; give --addr HOST:PORT of a node`);
  }
  return file.nodes.map(({ address }) => address);
}

/** A reading command must not make a folder where there is none. */
export function requireDataFolder(dir: string): void {
  if (!existsSync(dir)) throw failed('NO_DATA', `there is no folder ${dir}`);
  if (!existsSync(join(dir, 'cluster.json'))) throw failed('NO_DATA', `${dir} is no holdfast data folder`);
}
