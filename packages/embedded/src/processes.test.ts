import assert from 'node:assert/strict';
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import type { LogReader } from '@holdfast/engine';
import { randomBelow, SeededRng } from '@holdfast/model';
import { partitionOf, readRecords, textRecords } from '@holdfast/testkit';
import { readU64, u64Key } from './binary-keys.ts';
import { LmdbBackupStore } from './lmdb-backup-store.ts';
import { LmdbEnv } from './lmdb-env.ts';
import { LmdbLog } from './lmdb-log.ts';
import { LmdbRaftStorage } from './lmdb-raft-storage.ts';
import { systemClock, temporaryFolder } from './test-support.test.ts';

const padding = 'p'.repeat(2_000);
const partitions = 2;
const countTable = { counts: { versions: false } };

const [, , role, dir = '', name = ''] = process.argv;
if (role === 'append') await appendForever(dir, name);
else if (role === 'count') await countForever(dir);
else if (role === 'die') await dieInTransaction(dir);
else if (role === 'stop') await stopInTransaction(dir);
else if (role === 'fill') await fillDisk(dir);
else await tests();

/** Appends and backs up for ever, and tells what was answered: [partition, offset, text]. */
async function appendForever(dir: string, name: string): Promise<void> {
  const log = await LmdbLog.open(join(dir, 'log'), systemClock);
  const store = await LmdbBackupStore.open(join(dir, 'store'));
  const life = await store.generationId();
  for (let i = 0; ; i++) {
    const texts = [`${name}:${i}:a:${padding}`, `${name}:${i}:b:${padding}`];
    const offset = await log.append('t', i % partitions, textRecords(texts));
    const row = Buffer.from(`${i}`);
    await store.backup(life, [{ hi: 1, lo: Number(name), epoch: 1, seq: i, row, savedUnixMs: 0 }]);
    process.send!([i % partitions, offset, i]);
  }
}

/** Writes 0, 1, 2 … one after the other, and tells what was answered. */
async function countForever(dir: string): Promise<void> {
  const env = await LmdbEnv.open(join(dir, 'counts'), countTable);
  const counts = env.table('counts');
  for (let i = 0; ; i++) {
    await env.write(() => [counts.put(u64Key(i), Buffer.from(`${i}`))]);
    process.send!(i);
  }
}

/** Puts half of something, and dies with the lock that all processes share. */
async function dieInTransaction(dir: string): Promise<void> {
  const env = await LmdbEnv.open(join(dir, 'log'), { topics: { versions: false } });
  const topics = env.table('topics');
  await env.exclusive(() => {
    void topics.put(Buffer.from('half'), Buffer.from('done'));
    process.kill(process.pid, 'SIGKILL');
  });
}

/** Stops, but doesn't end, with the lock that all processes share. */
async function stopInTransaction(dir: string): Promise<void> {
  const env = await LmdbEnv.open(join(dir, 'log'), {});
  await env.exclusive(() => process.kill(process.pid, 'SIGSTOP'));
}

/** Runs under a limit on file sizes; prints how each adapter failed. */
async function fillDisk(dir: string): Promise<void> {
  const failures: Record<string, unknown> = {};
  const untilFails = async (what: string, write: (i: number) => Promise<unknown>) => {
    for (let i = 1; i < 1_000; i++) {
      try {
        await write(i);
      } catch (error) {
        failures[what] = { code: (error as { code?: string }).code, after: i - 1 };
        return;
      }
    }
  };
  const bytes = Buffer.alloc(200_000, 1);
  const log = await LmdbLog.open(join(dir, 'log'), systemClock);
  await log.createTopic('t', 1);
  await untilFails('log', () => log.append('t', 0, [{ key: null, value: bytes }]));
  await untilFails('logAgain', () => log.append('t', 0, [{ key: null, value: bytes }]));
  const store = await LmdbBackupStore.open(join(dir, 'store'));
  const life = await store.generationId();
  await untilFails('store', (i) =>
    store.backup(life, [{ hi: 0, lo: i, epoch: 1, seq: 1, row: bytes, savedUnixMs: 0 }]),
  );
  const raft = await LmdbRaftStorage.open(join(dir, 'raft'));
  await raft.load();
  const persist = (index: number, data: Uint8Array) => {
    return raft.persist({ hardState: null, entries: [{ index, term: 1, kind: 'data', data }], snapshot: null });
  };
  await untilFails('raft', (index) => persist(index, bytes));
  await untilFails('raftAgain', () => persist((failures.raft as { after: number }).after + 1, Buffer.alloc(1)));
  process.stdout.write(JSON.stringify(failures));
  process.exit(0);
}

function start(role: string, ...args: string[]): ChildProcess {
  return fork(import.meta.filename, [role, ...args], { execArgv: ['--conditions=source'] });
}

async function kill(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}

/** Resolves at the child's next message; fails when it ends instead: its own error is on stderr then. */
async function saysMore(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`a process that nobody killed ended with ${code}`);
  });
  await Promise.race([once(child, 'message'), ended]);
  ended.catch(() => undefined);
}

type Answered = [partition: number, offset: number, i: number];

async function tests(): Promise<void> {
  describe('several processes on one machine', async () => {
    const { dir, remove } = temporaryFolder();
    const log = await LmdbLog.open(join(dir, 'log'), systemClock);
    const children = new Set<ChildProcess>();
    after(async () => {
      for (const child of children) await kill(child);
      await log.close();
      remove();
    });

    test('killed at any point, they leave whole records, each once, and the others go on', async () => {
      const topic = await log.createTopic('t', partitions);
      const store = await LmdbBackupStore.open(join(dir, 'store'));
      const rng = new SeededRng(7);
      const answered = new Map<string, Answered[]>();
      let names = 0;
      const appender = async (): Promise<ChildProcess> => {
        const name = `${++names}`;
        const list: Answered[] = [];
        answered.set(name, list);
        const child = start('append', dir, name);
        children.add(child);
        child.on('message', (message) => list.push(message as Answered));
        await once(child, 'message');
        return child;
      };
      const reading = Promise.all(
        Array.from({ length: partitions }, (_, p) => log.openReader('t', partitionOf(topic, p), 0)),
      );
      const steady = await Promise.all([appender(), appender()]);
      for (let kills = 0; kills < 6; kills++) {
        const victim = await appender();
        await new Promise((resolve) => setTimeout(resolve, randomBelow(rng, 40)));
        await kill(victim);
        // Both others get something done after each death.
        for (const child of steady) await saysMore(child);
      }
      for (const child of steady) await kill(child);

      const ends = await log.endOffsets('t');
      const texts = await Promise.all((await reading).map((reader, p) => readTexts(reader, ends[p]!)));
      for (const [name, list] of answered) {
        assert.ok(list.length > 0);
        const mine = texts.flat().filter((text) => text.startsWith(`${name}:`));
        assert.equal(new Set(mine).size, mine.length, 'nothing twice');
        // Each append waited for the one before: what is there is a beginning without gaps, and whole.
        const appends = mine.length / 2;
        for (let i = 0; i < appends; i++) {
          for (const half of ['a', 'b'])
            assert.ok(mine.includes(`${name}:${i}:${half}:${padding}`), `${name}:${i}:${half}`);
        }
        for (const [p, offset, i] of list) {
          assert.equal(texts[p]![offset], `${name}:${i}:a:${padding}`);
          assert.equal(texts[p]![offset + 1], `${name}:${i}:b:${padding}`);
        }
        const row = await store.read({ hi: 1, lo: Number(name) });
        const last = list.at(-1)![2];
        assert.ok(
          row!.seq >= last && row!.seq <= last + 1,
          'the last backup answered, or one that had no time to answer',
        );
        assert.equal(Buffer.from(row!.row!).toString(), `${row!.seq}`);
      }
      await store.close();
    });

    test('opened and closed while others commit, an environment loses nothing', async () => {
      const child = start('count', dir);
      children.add(child);
      let answered = -1;
      child.on('message', (i) => {
        answered = i as number;
      });
      await saysMore(child);
      const open = () => LmdbEnv.open(join(dir, 'counts'), countTable);
      for (let i = 0; i < 200; i++) await (await open()).close();
      await saysMore(child);
      await kill(child);
      const env = await open();
      const kept = Array.from(env.table('counts').getKeys(), (key) => readU64(key as Uint8Array, 0));
      assert.ok(answered > 0 && kept.length > answered);
      assert.deepEqual(
        kept,
        kept.map((_, i) => i),
      );
      await env.close();
    });

    test('one that dies holding the write lock leaves nothing and frees it', async () => {
      await log.createTopic('u', 1);
      const dying = Array.from({ length: 2 }, () => start('die', dir));
      await Promise.all(dying.map((child) => once(child, 'exit')));
      assert.equal(await log.describe('half'), null);
      assert.equal(await log.append('u', 0, textRecords(['x'])), 0);
    });

    test('one that is stopped inside a transaction makes others fail in time, not hang', async () => {
      const other = join(dir, 'other');
      const patient = await LmdbLog.open(other, systemClock);
      await patient.createTopic('t', 1);
      await patient.close();
      const impatient = await LmdbLog.open(other, systemClock, { writeTimeoutMs: 200 });
      mkdirSync(join(dir, 'stop'));
      symlinkSync(other, join(dir, 'stop', 'log'));
      const child = start('stop', join(dir, 'stop'));
      children.add(child);
      while (!/\) T /.test(readFileSync(`/proc/${child.pid}/stat`, 'utf8'))) await new Promise((r) => setTimeout(r, 5));
      await assert.rejects(impatient.append('t', 0, textRecords(['late'])), { code: 'LOG_IO', message: /no answer/ });
      await kill(child);
      await impatient.close();
      const again = await LmdbLog.open(other, systemClock);
      await again.append('t', 0, textRecords(['after']));
      const [end] = await again.endOffsets('t');
      const topic = (await again.describe('t'))!;
      const texts = await readTexts(await again.openReader('t', partitionOf(topic, 0), 0), end!);
      assert.equal(texts.at(-1), 'after');
      await again.close();
    });

    test('threads of one process share the files as processes do', async () => {
      const topic = await log.createTopic('threads', 1);
      const code = (who: number) => `
        const { LmdbLog } = await import(${JSON.stringify(new URL('./lmdb-log.ts', import.meta.url).href)});
        const log = await LmdbLog.open(${JSON.stringify(join(dir, 'log'))}, { monotonicMs: () => performance.now(), wallUnixMs: () => 1 });
        for (let i = 0; i < 30; i++) await log.append('threads', 0, [{ key: null, value: Buffer.from('${who}:' + i) }]);
        await log.close();`;
      const workers = [0, 1].map((who) => {
        return new Worker(new URL(`data:text/javascript,${encodeURIComponent(code(who))}`), {
          execArgv: ['--conditions=source'],
        });
      });
      const [codes] = await Promise.all([
        Promise.all(workers.map(async (worker) => (await once(worker, 'exit'))[0])),
        (async () => {
          for (let i = 0; i < 30; i++) await log.append('threads', 0, textRecords([`2:${i}`]));
        })(),
      ]);
      assert.deepEqual(codes, [0, 0]);
      const texts = await readTexts(await log.openReader('threads', partitionOf(topic, 0), 0), 90);
      for (let who = 0; who < 3; who++) {
        const mine = texts.filter((text) => text.startsWith(`${who}:`));
        assert.deepEqual(
          mine,
          Array.from({ length: 30 }, (_, i) => `${who}:${i}`),
        );
      }
    });
  });

  test('a full disk is an error, and what was answered stays', async () => {
    const { dir, remove } = temporaryFolder();
    const command = 'ulimit -f 4000; exec "$0" --conditions=source "$@"';
    const child = spawn('bash', ['-c', command, process.execPath, import.meta.filename, 'fill', dir], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
    });
    const [code] = await once(child, 'close');
    assert.equal(code, 0);
    const failures = JSON.parse(output) as Record<string, { code: string; after: number }>;
    assert.deepEqual(
      Object.entries(failures).map(([what, { code }]) => [what, code]),
      [
        ['log', 'LOG_IO'],
        ['logAgain', 'LOG_IO'],
        ['store', 'WRITE_FAILED'],
        ['raft', 'IO'],
        ['raftAgain', 'IO'],
      ],
    );
    assert.equal(failures.raftAgain!.after, 0, 'no going on after a failure');
    const log = await LmdbLog.open(join(dir, 'log'), systemClock);
    assert.deepEqual(await log.endOffsets('t'), [failures.log!.after + failures.logAgain!.after]);
    await log.append('t', 0, textRecords(['room again']));
    await log.close();
    const store = await LmdbBackupStore.open(join(dir, 'store'));
    for (let i = 1; i <= failures.store!.after; i++)
      assert.equal((await store.read({ hi: 0, lo: i }))?.row?.length, 200_000);
    await store.close();
    const raft = await LmdbRaftStorage.open(join(dir, 'raft'));
    assert.equal((await raft.load()).entries.length, failures.raft!.after);
    await raft.close();
    remove();
  });
}

async function readTexts(reader: LogReader, count: number): Promise<string[]> {
  return (await readRecords(reader, count)).map((record) => record.value!);
}
