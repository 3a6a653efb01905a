import { execFileSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/**
 * Where the programs of Redis are found, or how they get here. HOLDFAST_REDIS_SERVER names another server's program
 * (`valkey-server` of some folder); else it is Debian's package, installed when it is missing, by root alone.
 */
export interface RedisBinaries {
  readonly server: string;
  readonly cli: string;
}

/** Why there are none on this machine, and none to be had; null when `redisBinaries` will work. */
export function missingRedis(): string | null {
  if (findPrograms() !== null) return null;
  if (process.env.HOLDFAST_REDIS_SERVER !== undefined) {
    return `HOLDFAST_REDIS_SERVER is ${process.env.HOLDFAST_REDIS_SERVER}, where there is no such program, or no redis-cli beside it`;
  }
  if (process.getuid?.() !== 0) return 'there is no redis-server, and only root can install it';
  return find('apt-get') === null ? 'there is no redis-server, and no apt-get to install it with' : null;
}

/** Installs Redis where it is missing. Its system service isn't started. */
export function redisBinaries(): RedisBinaries {
  const found = findPrograms();
  if (found !== null) return found;
  const reason = missingRedis();
  if (reason !== null) throw new Error(reason);
  installRedis();
  const installed = findPrograms();
  if (installed === null) throw new Error('redis-server was installed, and is not on the PATH');
  return installed;
}

function findPrograms(): RedisBinaries | null {
  const named = process.env.HOLDFAST_REDIS_SERVER;
  const server = named ?? find('redis-server');
  if (server === null || !existsSync(server)) return null;
  const beside = named === undefined ? null : named.replace(/-server$/, '-cli');
  const cli = beside !== null && existsSync(beside) ? beside : find('redis-cli');
  return cli === null ? null : { server, cli };
}

function find(program: string): string | null {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    if (existsSync(join(folder, program))) return join(folder, program);
  }
  return null;
}

/** What invoke-rc.d asks before it starts a service of a new package; 101 forbids it. */
const servicePolicy = '/usr/sbin/policy-rc.d';

function installRedis(): void {
  const aptGet = (...args: string[]) =>
    execFileSync('apt-get', args, {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
      timeout: 300_000,
    });
  const ownPolicy = !existsSync(servicePolicy);
  if (ownPolicy) writeFileSync(servicePolicy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    aptGet('update', '-q');
    aptGet('install', '-q', '-y', '--no-install-recommends', 'redis-server');
  } finally {
    if (ownPolicy) rmSync(servicePolicy);
  }
}
