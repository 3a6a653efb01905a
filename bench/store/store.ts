import { readFileSync } from 'node:fs';
import { RedisBackupStore } from '@holdfast/backup-redis';
import type { RowWrite } from '@holdfast/engine';
import { Redis } from 'ioredis';
import { type RedisServer, serviceFolder, startRedis } from '../../test/services/redis-server.ts';
import type { Figure } from '../run.ts';

const users = Number(process.env.HOLDFAST_BENCH_USERS ?? 100_000);
/** What the access-anomaly job writes for a user of some dozens of logins. */
const rowBytes = 500;
/** As the engine's store loop hands them over. */
const rowsPerCall = 1_000;
const rounds = 5;
const clockTicksPerSecond = 100;

/** CPU-seconds that a process has used, all threads. */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return (Number(fields[11]) + Number(fields[12])) / clockTicksPerSecond;
}

function rowsOfRound(round: number): RowWrite[] {
  const row = new Uint8Array(rowBytes).fill(round);
  return Array.from({ length: users }, (_, i) => {
    // Spread over the hash space as hashes are.
    const hash = Math.imul(i + 1, 0x9e3779b1) >>> 0;
    return { hi: i, lo: hash, epoch: 7, seq: round, row, savedUnixMs: 1_700_000_000_000 + round };
  });
}

interface Cost {
  readonly seconds: number;
  readonly nodeCpu: number;
  readonly redisCpu: number;
}

async function measured(server: RedisServer, work: () => Promise<void>): Promise<Cost> {
  const node = process.cpuUsage();
  const redis = cpuSeconds(server.pid!);
  const startMs = performance.now();
  await work();
  const seconds = (performance.now() - startMs) / 1_000;
  const { user, system } = process.cpuUsage(node);
  return { seconds, nodeCpu: (user + system) / 1e6, redisCpu: cpuSeconds(server.pid!) - redis };
}

async function usedBytes(server: RedisServer): Promise<number> {
  return Number(/used_memory:(\d+)/.exec(await server.cli('INFO', 'memory'))![1]);
}

function costFigures(name: string, { seconds, nodeCpu, redisCpu }: Cost, rows: number): Figure[] {
  const perMillion = (cpu: number) => (cpu / rows) * 1e6;
  return [
    { name: `${name}/throughput`, value: rows / seconds, unit: 'rows/s' },
    { name: `${name}/cpu-node`, value: perMillion(nodeCpu), unit: 'CPU-s per million rows' },
    { name: `${name}/cpu-redis`, value: perMillion(redisCpu), unit: 'CPU-s per million rows' },
  ];
}

/** Fenced backups in a Redis of this machine without persistence, beside plain SETs of the same bytes by the same client. */
export async function store(): Promise<Figure[]> {
  const { dir, remove } = serviceFolder('bench-store');
  const server = await startRedis(dir);
  try {
    const plain = await plainSets(server);
    await server.cli('FLUSHALL');
    const backup = await RedisBackupStore.open({ url: `redis://${server.address}` });
    const life = await backup.generationId();
    const emptyBytes = await usedBytes(server);
    const inRounds = async (from: number, to: number) => {
      for (let round = from; round <= to; round++) {
        const rows = rowsOfRound(round);
        for (let at = 0; at < rows.length; at += rowsPerCall) {
          const answer = await backup.backup(life, rows.slice(at, at + rowsPerCall));
          if (answer.code !== 'OK' || answer.results.some(({ code }) => code !== 'OK')) throw new Error('refused');
        }
      }
    };
    await inRounds(1, 1);
    const perUser = ((await usedBytes(server)) - emptyBytes) / users;
    const fenced = await measured(server, () => inRounds(2, rounds));
    const claims = await measured(server, async () => {
      const rows = rowsOfRound(0);
      for (let at = 0; at < rows.length; at += rowsPerCall) {
        const wishes = rows.slice(at, at + rowsPerCall).map(({ hi, lo }) => ({ hi, lo, epoch: 8 }));
        const answer = await backup.claim(life, wishes);
        if (answer.code !== 'OK') throw new Error('refused');
      }
    });
    await backup.close();
    const cpu = ({ nodeCpu, redisCpu }: Cost) => nodeCpu + redisCpu;
    const count = users * (rounds - 1);
    return [
      ...costFigures('fenced', fenced, count),
      ...costFigures('claims', claims, users),
      ...costFigures('plain-set', plain.cost, count),
      { name: 'fenced/throughput-ratio', value: plain.cost.seconds / fenced.seconds, unit: '× plain SET' },
      { name: 'fenced/cpu-ratio', value: cpu(fenced) / cpu(plain.cost), unit: '× plain SET' },
      { name: 'fenced/memory', value: perUser, unit: `bytes per user of ${rowBytes}` },
      { name: 'plain-set/memory', value: plain.bytesPerUser, unit: `bytes per user of ${rowBytes}` },
    ];
  } finally {
    await server.stop();
    remove();
  }
}

async function plainSets(server: RedisServer): Promise<{ cost: Cost; bytesPerUser: number }> {
  const client = new Redis(server.port, '127.0.0.1');
  const emptyBytes = await usedBytes(server);
  const inRounds = async (from: number, to: number) => {
    for (let round = from; round <= to; round++) {
      const rows = rowsOfRound(round);
      for (let at = 0; at < rows.length; at += rowsPerCall) {
        const pipeline = client.pipeline();
        for (const { hi, lo, row } of rows.slice(at, at + rowsPerCall)) {
          const value = Buffer.from(row.buffer, row.byteOffset, row.length);
          pipeline.set(`holdfast:${hi.toString(16).padStart(8, '0')}${lo.toString(16).padStart(8, '0')}`, value);
        }
        await pipeline.exec();
      }
    }
  };
  try {
    await inRounds(1, 1);
    const bytesPerUser = ((await usedBytes(server)) - emptyBytes) / users;
    return { cost: await measured(server, () => inRounds(2, rounds)), bytesPerUser };
  } finally {
    client.disconnect();
  }
}
