import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { nodeId } from '@holdfast/model';
import { openDataFolder } from './data-folder.ts';
import { openNodeFolder } from './node-folder.ts';
import { temporaryFolder } from './test-support.test.ts';

const n1 = nodeId('n1');

if (process.argv[2] === 'hold') await hold(process.argv[3]!);
else tests();

/** A process of its own that takes the folder and keeps it. */
async function hold(dir: string): Promise<void> {
  const opened = await openNodeFolder(dir, n1);
  process.send!(opened.code === 'OK' ? { ...opened.folder, code: 'OK' } : opened);
  setInterval(() => undefined, 1_000);
}

function tests(): void {
  const { dir, remove } = temporaryFolder();
  after(remove);
  let folders = 0;
  const fresh = () => join(dir, `folder-${++folders}`);

  async function holder(dataDir: string): Promise<{ child: ChildProcess; answer: Record<string, unknown> }> {
    const child = fork(import.meta.filename, ['hold', dataDir], { execArgv: ['--conditions=source'] });
    const [answer] = (await once(child, 'message')) as [Record<string, unknown>];
    return { child, answer };
  }

  async function kill(child: ChildProcess): Promise<void> {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }

  test('makes a data folder once, and finds it again', () => {
    const path = fresh();
    const first = openDataFolder(path, 1_000);
    assert.ok(first.code === 'OK');
    assert.equal(first.folder.createdUnixMs, 1_000);
    assert.deepEqual(openDataFolder(path, 2_000), first);
    const empty = fresh();
    mkdirSync(join(empty, 'lost+found'), { recursive: true });
    assert.equal(openDataFolder(empty, 0).code, 'OK');
  });

  test('refuses what is not its own', () => {
    const foreign = fresh();
    mkdirSync(foreign);
    writeFileSync(join(foreign, 'thesis.txt'), 'mine');
    const refusal = openDataFolder(foreign, 0);
    assert.equal(refusal.code, 'FOREIGN_FOLDER');
    assert.match('text' in refusal ? refusal.text : '', /thesis\.txt/);
    assert.deepEqual(readdirSync(foreign), ['thesis.txt']);
    const file = fresh();
    writeFileSync(file, '');
    assert.equal(openDataFolder(file, 0).code, 'NOT_A_FOLDER');
    assert.equal(openDataFolder(join(file, 'below'), 0).code, 'NOT_A_FOLDER');
    assert.equal(openDataFolder('/proc/holdfast', 0).code, 'NOT_WRITABLE');
  });

  test('refuses what it cannot read, or what a later version wrote', () => {
    const path = fresh();
    openDataFolder(path, 0);
    const file = join(path, 'cluster.json');
    const written = readFileSync(file, 'utf8');
    writeFileSync(file, written.slice(0, 20));
    assert.equal(openDataFolder(path, 0).code, 'DAMAGED_FOLDER');
    writeFileSync(file, JSON.stringify({ program: 'holdfast', format: 2, something: 'new' }));
    assert.equal(openDataFolder(path, 0).code, 'FORMAT_TOO_NEW');
  });

  test('counts starts under one uuid', async () => {
    const path = fresh();
    openDataFolder(path, 0);
    let uuid = '';
    for (let start = 1; start <= 3; start++) {
      const opened = await openNodeFolder(path, n1);
      assert.ok(opened.code === 'OK');
      assert.equal(opened.folder.startCounter, start);
      if (start > 1) assert.equal(opened.folder.uuid, uuid);
      uuid = opened.folder.uuid;
      await opened.folder.close();
    }
    const other = await openNodeFolder(path, nodeId('n2'));
    assert.ok(other.code === 'OK' && other.folder.uuid !== uuid && other.folder.startCounter === 1);
    await other.folder.close();
    for (const bad of ['', '..', 'a/b', 'x'.repeat(64)]) {
      assert.equal((await openNodeFolder(path, nodeId(bad))).code, 'BAD_NODE_ID');
    }
    writeFileSync(join(path, 'nodes', 'n2', 'node.json'), '{"uuid":');
    assert.equal((await openNodeFolder(path, nodeId('n2'))).code, 'DAMAGED_FOLDER');
  });

  test('one process at a time; kill -9 frees the folder', async () => {
    // Longer than a socket address can be.
    const path = join(fresh(), 'd'.repeat(120));
    openDataFolder(path, 0);
    let counter = 0;
    for (let round = 0; round < 3; round++) {
      const { child, answer } = await holder(path);
      assert.equal(answer.code, 'OK');
      assert.equal(answer.startCounter, ++counter);
      const refused = await openNodeFolder(path, n1);
      assert.equal(refused.code, 'FOLDER_IN_USE');
      assert.equal('pid' in refused && refused.pid, child.pid);
      if (round === 1) {
        child.kill('SIGSTOP');
        assert.equal((await openNodeFolder(path, n1)).code, 'FOLDER_IN_USE', 'a stopped process may go on');
      }
      await kill(child);
    }
    const mine = await openNodeFolder(path, n1);
    assert.ok(mine.code === 'OK');
    assert.equal(mine.folder.startCounter, ++counter);
    assert.equal((await openNodeFolder(path, n1)).code, 'FOLDER_IN_USE', 'nor twice in one process');
    await mine.folder.close();
    const left = readdirSync(join(path, 'nodes', 'n1')).filter((name) => name.endsWith('.sock'));
    assert.deepEqual(left, [], 'no sockets are left behind');
  });

  test('of several that start at once over a dead holder, one wins', async () => {
    const path = fresh();
    openDataFolder(path, 0);
    const dead = await holder(path);
    await kill(dead.child);
    const all = await Promise.all(Array.from({ length: 12 }, () => openNodeFolder(path, n1)));
    const winners = all.filter((opened) => opened.code === 'OK');
    assert.equal(winners.length, 1);
    assert.ok(all.every((opened) => opened.code === 'OK' || opened.code === 'FOLDER_IN_USE'));
    await (winners[0] as { folder: { close(): Promise<void> } }).folder.close();
  });
}
