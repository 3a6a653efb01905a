import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, mock, test } from 'node:test';
import { LmdbLog, openDataFolder } from '@holdfast/embedded';
import { CliError } from '../cli-error.ts';
import { runHere } from '../run-here.test.ts';
import { writeDevFile } from './dev-file.ts';
import { openDevFolder } from './dev-folder.ts';
import { planDev } from './dev-options.ts';

const dir = mkdtempSync(join(tmpdir(), 'holdfast-dev-folder-'));
after(() => rmSync(dir, { recursive: true, force: true }));

const open = (name: string, nodes = 3) =>
  openDevFolder(planDev({ nodes, data: join(dir, name), output: 'text' }, dir), dir);
const says = (code: string, text: RegExp) => (error: unknown) =>
  error instanceof CliError && error.code === code && text.test(error.message);

test('of two that open one folder in the same moment one is refused, and a later one has it', async () => {
  const opened = await Promise.allSettled([open('two'), open('two')]);
  const refused = opened.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []));
  assert.equal(refused.length, 1);
  assert.ok(
    says('FOLDER_IN_USE', /two is in use by another holdfast dev \(process \d+\): stop it, or choose/)(refused[0]),
  );
  for (const one of opened) if (one.status === 'fulfilled') await one.value.close(false);
  await (await open('two')).close(false);
  assert.ok(existsSync(join(dir, 'two')));
});

test('a folder with the nodes of another cluster is refused, and is free afterwards', async () => {
  const data = join(dir, 'foreign');
  assert.equal(openDataFolder(data, Date.now()).code, 'OK');
  for (const id of ['n1', 'n4', 'web-a']) mkdirSync(join(data, 'nodes', id));
  const refused = says(
    'FOREIGN_NODES',
    /foreign holds nodes that are none of this run.s \((n4, web-a|web-a, n4)\): choose .* --nodes/,
  );
  for (let tries = 0; tries < 2; tries++) await assert.rejects(open('foreign'), refused);
  await assert.rejects(open('foreign', 4), says('FOREIGN_NODES', /\(web-a\)/));
});

test('a node that joined a dev cluster later is none of another one', async () => {
  const data = join(dir, 'joined');
  assert.equal(openDataFolder(data, Date.now()).code, 'OK');
  const nodes = ['n1', 'n2', 'n3'].map((id) => ({ id, address: '127.0.0.1:1' }));
  const run = { pid: 1, startedUnixMs: 1, mapping: 'holdfast', nodes, unfinishedInput: null };
  writeDevFile(data, { schema: 'holdfast/dev-run/v1', ...run });
  mkdirSync(join(data, 'nodes', 'n4'));
  await (await open('joined')).close(false);
});

test('Ctrl-C while the folder is made ends the run, and leaves no folder behind', async () => {
  const { TMPDIR } = process.env;
  process.env.TMPDIR = join(dir, 'tmp');
  mkdirSync(process.env.TMPDIR);
  const opens = LmdbLog.open;
  const interrupted = mock.method(LmdbLog, 'open', (...args: Parameters<typeof opens>) => {
    process.emit('SIGINT');
    return opens.apply(LmdbLog, args);
  });
  try {
    const outcome = await runHere(['dev', '--generate', '--once', '--records', '10'], dir);
    assert.equal(interrupted.mock.callCount(), 1);
    assert.deepEqual(outcome, { exit: 130, out: '', err: 'holdfast: interrupted before any node was started\n' });
    assert.deepEqual(readdirSync(process.env.TMPDIR), []);
  } finally {
    interrupted.mock.restore();
    if (TMPDIR === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = TMPDIR;
  }
});
