import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { accessAnomaly } from '@holdfast/access-anomaly';
import { LmdbBackupStore, openDataFolder } from '@holdfast/embedded';
import { hashUnit, unitHashOut } from '@holdfast/model';
import { encodeRow } from '@holdfast/processor';
import { compileProcessor } from '@holdfast/sdk';
import { exitCodes } from './exit-codes.ts';
import { documentSchemas } from './output-schemas.ts';
import { type Outcome, runHere } from './run-here.test.ts';

const bin = fileURLToPath(new URL('../bin/holdfast.mjs', import.meta.url));
const dir = mkdtempSync(join(tmpdir(), 'holdfast-cli-'));
after(() => rmSync(dir, { recursive: true, force: true }));

async function freeUdpPort(): Promise<number> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await new Promise((resolve) => socket.once('listening', resolve));
  const { port } = socket.address();
  await new Promise<void>((resolve) => socket.close(() => resolve()));
  return port;
}

/** Runs the real program. */
function holdfast(args: readonly string[], env: Record<string, string> = {}): Promise<Outcome> {
  const clean = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('HOLDFAST_')));
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [bin, ...args],
      { cwd: dir, env: { ...clean, ...env }, timeout: 60_000 },
      (error, out, err) => {
        resolve({ exit: error === null ? 0 : ((error as { code?: number }).code ?? -1), out, err });
      },
    );
  });
}

/** The same in this process, for what ends before anything is started. */
const inProcess = (args: readonly string[]): Promise<Outcome> => runHere(args, dir);

async function refused(args: readonly string[], exit: number, text: RegExp): Promise<void> {
  const outcome = await inProcess(args);
  const shown = `${args.join(' ')}: ${outcome.err}`;
  assert.equal(outcome.exit, exit, shown);
  assert.equal(outcome.out, '', shown);
  assert.match(outcome.err, text);
  assert.equal(outcome.err.trimEnd().split('\n').length, 1, `one line: ${shown}`);
}

test('wrong command lines: one line on stderr, exit 2', async () => {
  await Promise.all([
    refused(['stauts'], 2, /^holdfast: unknown command 'stauts' \(Did you mean status\?\)$/m),
    refused(['status', '--addrr', 'x'], 2, /unknown option '--addrr' \(Did you mean --addr\?\)/),
    refused(['status', '--addr', 'nonsense'], 2, /--addr: 'nonsense' is no HOST:PORT/),
    refused(['status', '--addr', 'a:99999'], 2, /--addr: 'a:99999' is no HOST:PORT/),
    refused(['status', '--addr', 'a:1', '--data', 'd'], 2, /--data.*cannot be used with.*--addr/),
    refused(
      ['status', '--tls-ca', 'a', '--tls-key', 'b'],
      2,
      /^holdfast: --tls-cert missing: --tls-ca, --tls-cert and/,
    ),
    refused(['export', '--tls-ca', 'a', '--data', 'd'], 2, /--tls-ca.*cannot be used with.*--data/),
    refused(['status', '--interval', '2s'], 2, /go with --watch/),
    refused(['status', '--timeout', '5'], 2, /duration with its unit/),
    refused(['status', '-w', '--interval', '600h'], 2, /At most 24 days/),
    refused(['dev', '--nodes', 'three'], 2, /whole number from 1 to 9/),
    refused(['export', '-o', 'json'], 2, /Allowed choices are jsonl/),
    refused(
      ['node', 'add', 'n4', '--peer', 'x'],
      2,
      /joins by being started: holdfast node --config FILE, where cluster\.peers/,
    ),
    refused(['user', 'get'], 2, /missing required argument 'key'/),
    refused(['user', 'get', 'lea', '--job', 'other'], 2, /--job goes with --data/),
  ]);
});

test('the help has each exit code', async () => {
  const { out } = await inProcess(['--help']);
  const told = /Exit codes: (.+)\.$/m
    .exec(out)![1]!
    .split(', ')
    .map((code) => Number.parseInt(code, 10));
  assert.deepEqual(told, Object.values(exitCodes));
});

test('bad input: one line on stderr, exit 1, and nothing is started', async () => {
  const foreign = join(dir, 'foreign');
  mkdirSync(foreign);
  writeFileSync(join(foreign, 'thesis.txt'), 'mine');
  writeFileSync(join(dir, 'in.jsonl'), '{}\n');
  writeFileSync(join(dir, 'a-file'), '');
  await Promise.all([
    refused(
      ['dev', '--input', 'missing.jsonl', '--once'],
      1,
      /^holdfast: input missing\.jsonl can't be read: there is no such file$/m,
    ),
    refused(
      ['dev', '--input', 'in.jsonl', '--mapping', 'ngnix', '--once'],
      1,
      /unknown mapping ngnix: known are holdfast, nginx, ecs/,
    ),
    refused(['dev', '--generate', '--once', '--data', 'foreign'], 1, /holds other files \(thesis\.txt\)/),
    refused(['dev', '--generate', '--once', '--data', 'a-file'], 1, /is not a folder/),
    refused(['export', '--data', join(dir, 'nowhere')], 1, /there is no folder .*nowhere/),
    refused(['export', '--data', foreign], 1, /foreign is no holdfast data folder/),
    refused(
      ['status', '--tls-ca', 'a', '--tls-cert', 'b', '--tls-key', 'c'],
      1,
      /^holdfast: --tls-ca: .*a can't be read/,
    ),
    refused(['node', 'ls', '--data', join(dir, 'nowhere')], 1, /there is no folder .*nowhere/),
    refused(['node', 'drain', 'n1', '--data', foreign], 1, /foreign is no holdfast data folder/),
    refused(['status', '--addr', '127.0.0.1:1'], 1, /127\.0\.0\.1:1/),
    refused(['node', '--config', 'none.yaml'], 1, /none\.yaml can't be read: there is no such file/),
  ]);
  assert.deepEqual(readdirSync(foreign), ['thesis.txt']);
  assert.ok(!existsSync(join(dir, 'nowhere')));
});

test('a folder that can not be written is refused', async () => {
  const locked = join(dir, 'locked');
  mkdirSync(locked);
  chmodSync(locked, 0o555);
  // Permissions don't bind root; the kernel's own file system does.
  const path = process.getuid?.() === 0 ? '/sys/holdfast-test' : join(locked, 'data');
  await refused(['dev', '--generate', '--once', '--data', path], 1, /can't be written/);
});

test('the program itself: the message on stderr, nothing on stdout, the exit code', async () => {
  const outcome = await holdfast(['status', '--addr', 'nonsense']);
  assert.deepEqual(outcome, { exit: 2, out: '', err: "holdfast: --addr: 'nonsense' is no HOST:PORT\n" });
});

test('a busy port is named', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  const busy = `127.0.0.1:${port}`;
  const gossip = `127.0.0.1:${await freeUdpPort()}`;
  const refusal = async (control: string, shards: string) => {
    const listen = ['--listen-control', control, '--listen-shards', shards, '--listen-gossip', gossip];
    const where = ['--node-id', 'n1', '--data', 'busy', '--shards', '1', '--listen-http', 'off'];
    const outcome = await holdfast(['node', ...where, ...listen]);
    assert.equal(outcome.exit, 1);
    return outcome.err.trimEnd().split('\n').at(-1);
  };
  const advice = 'is in use by another process; give another address or stop it';
  assert.equal(await refusal(busy, '127.0.0.1:0'), `holdfast: ${busy} ${advice}`);
  const control = `127.0.0.1:${await freeUdpPort()}`;
  assert.equal(await refusal(control, busy), `holdfast: ${busy} (listen.shards) ${advice}`);
  server.close();
});

test('configuration: all problems at once, exit 1; valid ones say so', async () => {
  const wrong = await holdfast(['config', 'check', '--backup-interval', '30'], { HOLDFAST_SHRDS: '2' });
  assert.equal(wrong.exit, 1);
  assert.equal(wrong.err.trimEnd().split('\n').length, 3, wrong.err);
  assert.match(wrong.err, /HOLDFAST_SHRDS.*did you mean HOLDFAST_SHARDS\?/);
  writeFileSync(join(dir, 'node.yaml'), 'node: {id: n7}\nsession: {ttl: 15s}\n');
  const right = await holdfast(['config', 'check', 'node.yaml']);
  assert.deepEqual([right.exit, right.out], [0, 'valid: node n7 of 1 in cluster holdfast\n']);
  assert.equal(right.err, '');
  const open = await inProcess(['config', 'check', 'node.yaml', '--listen-control', '10.0.0.1:7400']);
  assert.deepEqual([open.exit, open.out], [0, right.out]);
  assert.match(
    open.err,
    /^holdfast: warning: other machines can reach listen\.control \(10\.0\.0\.1:7400\).*set tls\.ca/,
  );
  const shown = await holdfast(['config', 'show', 'node.yaml', '--origin', '-o', 'json'], { HOLDFAST_SHARDS: '2' });
  const document = JSON.parse(shown.out) as { settings: { path: string; value: unknown; origin: string }[] };
  documentSchemas.get('holdfast/config/v1')!.parse(document);
  const find = (path: string) => document.settings.find((setting) => setting.path === path);
  assert.deepEqual(find('shards'), { path: 'shards', value: 2, origin: 'HOLDFAST_SHARDS' });
  assert.match(find('session.ttl')!.origin, /node\.yaml$/);
});

test('errors are a document under -o json', async () => {
  const { err, exit } = await holdfast(['status', '-o', 'json', '--addr', '127.0.0.1:1']);
  assert.equal(exit, 1);
  const document = JSON.parse(err) as { code: string; exit: number };
  documentSchemas.get('holdfast/error/v1')!.parse(document);
  assert.deepEqual([document.code, document.exit], ['NO_ANSWER', 1]);
  for (const args of [['--bogus'], ['--addr', 'nonsense'], ['--timeout', '5']]) {
    const wrong = await inProcess(['status', '-o', 'json', ...args]);
    const usage = JSON.parse(wrong.err) as { code: string; exit: number };
    documentSchemas.get('holdfast/error/v1')!.parse(usage);
    assert.deepEqual([usage.code, usage.exit, wrong.exit], ['USAGE', 2, 2]);
  }
});

test('export and user get read a data folder without any node', async () => {
  const data = join(dir, 'stored');
  const opened = openDataFolder(data, Date.now());
  assert.ok(opened.code === 'OK');
  const job = compileProcessor(accessAnomaly());
  const store = await LmdbBackupStore.open(opened.folder.storePath);
  const generation = await store.generationId();
  const users = ['lea', '__proto__', 'Zoë', 'ab', 'a', '\u{1f600}', '\uffee'];
  for (const [i, user] of users.entries()) {
    const key = new TextEncoder().encode(user);
    hashUnit(key, 0, key.length);
    const state = { ...job.initialState(key), events: i + 1 };
    const row = encodeRow({ vector: [], users: [{ key, job: job.name, state: job.encodeState(state) }] });
    await store.backup(generation, [{ ...unitHashOut, epoch: 7, seq: 1, row, savedUnixMs: Date.now() }]);
  }
  await store.close();
  const { out, exit } = await holdfast(['export', '--data', 'stored', '-o', 'jsonl']);
  assert.equal(exit, 0);
  const lines = out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { user: string; events: number });
  for (const line of lines) documentSchemas.get('holdfast/export/v1')!.parse(line);
  // By bytes: U+1F600 sorts after U+FFEE, which UTF-16 would turn round.
  assert.deepEqual(
    lines.map(({ user }) => user),
    ['Zoë', '__proto__', 'a', 'ab', 'lea', '\uffee', '\u{1f600}'],
  );
  assert.equal(lines.find(({ user }) => user === 'lea')?.events, 1);
  const got = await holdfast(['user', 'get', 'Zoë', '--data', 'stored', '-o', 'json']);
  const document = JSON.parse(got.out) as { leaseEpoch: string; stale: boolean; state: { events: number } };
  documentSchemas.get('holdfast/user/v1')!.parse(document);
  assert.deepEqual([document.leaseEpoch, document.stale, document.state.events], ['7', true, 3]);
  assert.equal((await holdfast(['user', 'get', 'nobody', '--data', 'stored'])).exit, 3);
});

test('a state that can not be shown: user get says why, an export gives all others and fails', async () => {
  const data = join(dir, 'unshown');
  const opened = openDataFolder(data, Date.now());
  assert.ok(opened.code === 'OK');
  const job = compileProcessor(accessAnomaly());
  const store = await LmdbBackupStore.open(opened.folder.storePath);
  const generation = await store.generationId();
  for (const [user, version] of [
    ['lea', 1],
    ['max', 99],
    ['zoe', 1],
  ] as const) {
    const key = new TextEncoder().encode(user);
    hashUnit(key, 0, key.length);
    const state = job.encodeState(job.initialState(key));
    const changed = version === 1 ? state : Uint8Array.of(version);
    const row = encodeRow({ vector: [], users: [{ key, job: job.name, state: changed }] });
    await store.backup(generation, [{ ...unitHashOut, epoch: 7, seq: 1, row, savedUnixMs: Date.now() }]);
  }
  await store.close();
  const { out, err, exit } = await holdfast(['export', '--data', 'unshown']);
  assert.equal(out.trimEnd().split('\n').length, 2);
  assert.deepEqual([exit, /state can't be shown are missing: max \(.+\)$/m.test(err)], [1, true], err);
  const got = await holdfast(['user', 'get', 'max', '--data', 'unshown']);
  assert.match(got.out, /its state can't be shown: .+/);
});
