import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { after, test } from 'node:test';
import { CliError } from '../cli-error.ts';
import { ChildNode } from './child-node.ts';
import { planDev } from './dev-options.ts';
import { runDev } from './run-dev.ts';

const dir = mkdtempSync(join(tmpdir(), 'holdfast-child-'));
after(() => rmSync(dir, { recursive: true, force: true }));

/** With this a node ends at once, and without an error document of its own. */
const fatal = { NODE_OPTIONS: '--no-such-option' };

/** Starts a node, and resolves with the text by which it is given up. */
function givenUp(env: Readonly<Record<string, string>> = {}): { child: ChildNode; text: Promise<string> } {
  const node = { id: 'n1', address: '127.0.0.1:1', configPath: join(dir, 'n1.json'), logPath: join(dir, 'n1.log') };
  const told = new EventEmitter();
  const text = once(told, 'hopeless').then(([what]) => what as string);
  const child = new ChildNode(node, env, {
    note: (what) => assert.fail(what),
    hopeless: (what) => void told.emit('hopeless', what),
    over: () => assert.fail('over'),
  });
  child.start();
  return { child, text };
}

test('a process that can not be made is given up, and nothing waits for its end', async () => {
  const { execPath } = process;
  process.execPath = join(dir, 'no-such-program');
  const { child, text } = givenUp();
  process.execPath = execPath;
  assert.match(await text, /^n1 can't be started: spawn .*no-such-program ENOENT$/);
  await child.stop(60_000);
});

test('stopped while its process could not be made, a node is gone', async () => {
  const { execPath } = process;
  process.execPath = join(dir, 'no-such-program');
  const { child } = givenUp();
  process.execPath = execPath;
  await child.stop(60_000);
});

test('the end of a node whose log was taken away is told all the same', async () => {
  const { text } = givenUp(fatal);
  rmSync(join(dir, 'n1.log'));
  assert.match(await text, /^n1 ended with exit \d+; see .*n1\.log$/);
});

test('a node that can not run ends a dev run whose input is quiet; the log that the error names is kept', async () => {
  const notes: string[] = [];
  const running = runDev(planDev({ nodes: 1, input: '-', output: 'text' }, dir), {
    env: { ...fatal, PATH: process.env.PATH },
    cwd: dir,
    stdin: new PassThrough(),
    stdoutIsTerminal: false,
    stderrIsTerminal: false,
    columns: 80,
    out: async () => undefined,
    outUnread: new AbortController().signal,
    note: (text) => void notes.push(text),
    style: (_kind, text) => text,
  });
  let named = '';
  await assert.rejects(running, (error: unknown) => {
    named = /^n1 ended with exit \d+; see (.+n1\.log)$/.exec((error as Error).message)?.[1] ?? '';
    return error instanceof CliError && named !== '';
  });
  assert.ok(existsSync(named), named);
  const kept = /kept for a look: (.+)\n$/.exec(notes.at(-1)!)![1]!;
  assert.ok(named.startsWith(kept));
  rmSync(kept, { recursive: true });
});

test('a node whose log can not be written any more is given up, also at a later start', async () => {
  const run = join(dir, 'run');
  mkdirSync(run);
  const told = new EventEmitter();
  const text = once(told, 'hopeless').then(([what]) => what as string);
  const child = new ChildNode(
    { id: 'n4', address: '127.0.0.1:1', configPath: join(run, 'n4.json'), logPath: join(run, 'n4.log') },
    fatal,
    {
      note: () => rmSync(run, { recursive: true }),
      hopeless: (what) => void told.emit('hopeless', what),
      over: () => assert.fail('over'),
    },
  );
  child.ready();
  child.start();
  assert.equal(await text, `n4 can't be started, since its log can't be written: the folder ${run} is gone`);
  await child.stop(60_000);
});

/** Has a node end in a way of the test's own, and resolves with what is told of it. */
async function ends(name: string, script: string): Promise<string[]> {
  const preload = join(dir, `${name}.cjs`);
  writeFileSync(preload, script);
  const paths = { configPath: join(dir, `${name}.json`), logPath: join(dir, `${name}.log`) };
  const notes: string[] = [];
  const told = new EventEmitter();
  const over = once(told, 'over');
  const child = new ChildNode(
    { id: name, address: '127.0.0.1:1', ...paths },
    { NODE_OPTIONS: `-r ${preload}` },
    {
      note: (text) => {
        notes.push(text);
        if (text.includes('starting it again')) told.emit('over');
      },
      hopeless: (text) => assert.fail(text),
      over: () => void told.emit('over'),
    },
  );
  child.ready();
  child.start();
  await over;
  // As after a drain of all: it is not there any more.
  child.start();
  await child.stop(1_000);
  assert.deepEqual([child.over, child.restarts], [true, 0], notes.join());
  return notes;
}

test('a node that ends unasked and well was taken out: one note, and it is not started again', async () => {
  assert.deepEqual(await ends('n2', 'process.exit(0)'), ['n2 ended (exit 0); it is not started again']);
});

test('nor is one that says that the cluster has no place for it', async () => {
  for (const code of ['REMOVED', 'NODE_ID_TAKEN', 'SUPERSEDED']) {
    const error = JSON.stringify({ schema: 'holdfast/error/v1', code, exit: 1, text: 'no place', hint: null });
    const script = `require('node:fs').writeSync(2, ${JSON.stringify(`${error}\n`)}); process.exit(1)`;
    assert.deepEqual(await ends('n3', script), ['n3 ended (exit 1): no place; it is not started again']);
  }
});
