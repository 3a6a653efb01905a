import type { Redis } from 'ioredis';
import { addressOf } from './client.ts';
import { RedisStoreError } from './errors.ts';

/**
 * What an acknowledged write survives:
 * - `always`: crash of process and power; it is on disk before the answer.
 * - `everysec-awaited`: the same, since each call waits for the disk (WAITAOF; a single server, 8.0 or newer).
 * - `everysec`: what the last second or two before a crash wrote may be undone; found by the generation, repaired by replay.
 * - `snapshots`: what was written since the last snapshot; the same repair.
 * - `none`: a restart is an empty store; the same repair, from the beginning.
 * A failover of Sentinel or Cluster may undo the last writes in every mode; the same repair.
 */
export type Persistence = 'always' | 'everysec-awaited' | 'everysec' | 'snapshots' | 'none';

/** From strongest to weakest. */
const order: readonly Persistence[] = ['always', 'everysec-awaited', 'everysec', 'snapshots', 'none'];

export interface ServerFacts {
  readonly address: string;
  /** `redis 7.0.15`, `valkey 8.0.1`. */
  readonly version: string;
  readonly persistence: Persistence;
  /** Of its history: another one after each restart and failover. */
  readonly replicationId: string;
}

const versionMin = [7, 0] as const;
/**
 * WAITAOF is there from 7.2 on, but answers before the disk has it under `everysec` (redis/redis#13793, mended early in
 * 2025; also in Valkey, which calls itself 7.2.4 here). Where it can't be trusted, a restart counts as a loss.
 */
const awaitedVersionMin = [8, 0] as const;

/**
 * Looks at one server: at the start, and whenever the lives of the buckets are read again.
 * @param single there is no failover: WAITAOF then makes a promise
 * @throws RedisStoreError UNSUITABLE with address and remedy; what the command itself rejects with
 */
export async function checkServer(master: Redis, single: boolean): Promise<ServerFacts> {
  const info = fieldsOf(await master.info());
  const address = addressOf(master);
  const unsuitable = (text: string) => new RedisStoreError('UNSUITABLE', `redis ${address} ${text}`);
  const redisVersion = info.get('redis_version') ?? '0';
  const version = info.has('valkey_version') ? `valkey ${info.get('valkey_version')}` : `redis ${redisVersion}`;
  if (!atLeast(redisVersion, versionMin)) {
    throw unsuitable(`is ${version}: holdfast needs Redis 7.0 or newer, or Valkey: install one`);
  }
  const role = info.get('role');
  if (role !== 'master') {
    const of = `${info.get('master_host')}:${info.get('master_port')}`;
    // Where there is failover that passes: the client will find the new master.
    if (!single) throw new Error(`READONLY ${address} is a replica of ${of} now`);
    throw unsuitable(`is a replica of ${of}: name the master, or Sentinel, which knows it`);
  }
  const replicationId = info.get('master_replid');
  if (replicationId === undefined) throw unsuitable('tells no replication id (INFO replication): it is no Redis');
  const policy = info.get('maxmemory_policy');
  if (policy !== 'noeviction') {
    const fix = 'it would throw away users to make room: CONFIG SET maxmemory-policy noeviction, and in its file';
    throw unsuitable(`has maxmemory-policy ${policy}: ${fix}`);
  }
  const persistence = await persistenceOf(master, info, single && atLeast(redisVersion, awaitedVersionMin));
  return { address, version, persistence, replicationId };
}

export function weakest(persistences: readonly Persistence[]): Persistence {
  return order[Math.max(0, ...persistences.map((one) => order.indexOf(one)))]!;
}

async function persistenceOf(
  master: Redis,
  info: ReadonlyMap<string, string>,
  canAwait: boolean,
): Promise<Persistence> {
  if (info.get('aof_enabled') === '1') {
    const fsync = await configOf(master, 'appendfsync');
    // With that setting nothing is synced while a child writes: then `always` says no more than `everysec`.
    if (fsync === 'always' && (await configOf(master, 'no-appendfsync-on-rewrite')) === 'no') return 'always';
    return canAwait && fsync === 'everysec' && (await mayAwait(master)) ? 'everysec-awaited' : 'everysec';
  }
  return (await configOf(master, 'save')) === '' ? 'none' : 'snapshots';
}

/** Waits for nothing: shows whether this user may. */
async function mayAwait(master: Redis): Promise<boolean> {
  try {
    await master.call('WAITAOF', 0, 0, 1);
    return true;
  } catch (error) {
    if (isRefused(error)) return false;
    throw error;
  }
}

/** Null when this user may not ask: then the weaker promise is taken. */
async function configOf(master: Redis, name: string): Promise<string | null> {
  try {
    const answer = (await master.call('CONFIG', 'GET', name)) as string[];
    return answer[1] ?? null;
  } catch (error) {
    if (isRefused(error)) return null;
    throw error;
  }
}

/** This user may not, or this server can't. Whatever else a reply says passes (BUSY, LOADING): it is no answer to that. */
function isRefused(error: unknown): boolean {
  return error instanceof Error && error.name === 'ReplyError' && /^(NOPERM|ERR unknown )/i.test(error.message);
}

function fieldsOf(info: string): Map<string, string> {
  const fields = new Map<string, string>();
  for (const line of info.split('\r\n')) {
    const colon = line.indexOf(':');
    if (colon > 0) fields.set(line.slice(0, colon), line.slice(colon + 1));
  }
  return fields;
}

function atLeast(version: string, least: readonly [number, number]): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > least[0] || (major === least[0] && minor >= least[1]);
}
