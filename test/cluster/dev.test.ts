import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { compare, type ExportedUser, LogGenerator, recount } from '@holdfast/access-anomaly';
import { holdfast, startHoldfast } from './support/holdfast.ts';
import { waitFor } from './support/wait.ts';

const dir = mkdtempSync(join(tmpdir(), 'holdfast-dev-'));
after(() => rmSync(dir, { recursive: true, force: true }));

const sample = (name: string) => new URL(`../../apps/access-anomaly/testdata/${name}`, import.meta.url).pathname;

/** Holds an export against a recount of the lines, each counted `times`. */
async function checkExport(data: string, mapping: string, text: string, times: number): Promise<void> {
  const { code, stdout, stderr } = await holdfast(['export', '--data', data, '-o', 'jsonl']);
  assert.equal(code, 0, stderr);
  const users = stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as ExportedUser);
  const lines = text.replace(/\n$/, '').split('\n');
  const records = Array.from({ length: times }, (_, run) =>
    lines.map((line, i) => ({
      partition: 0,
      offset: run * lines.length + i,
      timestampUnixMs: Number.NaN,
      value: Buffer.from(line),
    })),
  ).flat();
  const { lost, duplicates, differences } = compare(users, recount(mapping, records));
  assert.deepEqual(
    { lost, duplicates, differences: differences.slice(0, 5) },
    { lost: 0, duplicates: 0, differences: [] },
  );
}

const dev = (data: string, input: string, mapping: string) => [
  'dev',
  '--nodes',
  '3',
  '--input',
  input,
  '--mapping',
  mapping,
  '--once',
  '--data',
  data,
];

test('real web requests, from a file, then the same file again: counts double', async () => {
  const data = join(dir, 'nginx');
  const file = sample('access-nginx-200.jsonl');
  const text = readFileSync(file, 'utf8');
  for (const times of [1, 2]) {
    const { code, stdout, stderr } = await holdfast(dev(data, file, 'nginx'));
    assert.equal(code, 0, stderr);
    assert.match(stdout, /lost 0/);
    assert.match(stdout, /duplicates 0/);
    await checkExport(data, 'nginx', text, times);
  }
});

test('a run on an input of before that is killed before it has fed any of it is none: the next one feeds it', async () => {
  const data = join(dir, 'killed-early');
  const file = sample('access-nginx-200.jsonl');
  await goOn(dev(data, file, 'nginx'));
  const path = join(data, 'run/dev.json');
  const done = JSON.parse(readFileSync(path, 'utf8')) as { completeBefore: number };
  assert.equal(done.completeBefore, 0);
  // As the killed one leaves it.
  writeFileSync(path, JSON.stringify({ ...done, unfinishedInput: file, completeBefore: 1 }));
  await goOn(dev(data, file, 'nginx'));
  assert.equal((JSON.parse(readFileSync(path, 'utf8')) as { completeBefore: number }).completeBefore, 1);
  await checkExport(data, 'nginx', readFileSync(file, 'utf8'), 2);
});

test('real logins, through standard input', async () => {
  const data = join(dir, 'ecs');
  const text = readFileSync(sample('logins-ecs-200.jsonl'), 'utf8');
  const { code, stdout, stderr } = await holdfast(dev(data, '-', 'ecs'), text);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /lost 0/);
  await checkExport(data, 'ecs', text, 1);
});

test('rubbish goes to the dead letters or is skipped, counted by reason, and the rest goes on', async () => {
  const data = join(dir, 'rubbish');
  const good = (user: string) =>
    JSON.stringify({ user, time: '2026-03-02T09:15:30Z', outcome: 'success', city: 'Bergen', country: 'NO' });
  const lines = [
    good('alice'),
    '{not json',
    '',
    '[1,2]',
    JSON.stringify({ time: '2026-03-02T09:15:30Z', outcome: 'success' }),
    good('__proto__'),
    good('constructor'),
    `{"user":"bob","time":"2026-03-02T09:15:30Z","outcome":"success","pad":"${'x'.repeat(10_000_000)}"}`,
    good('alice'),
  ];
  const input = Buffer.concat([Buffer.from(lines.join('\n')), Buffer.from([10, 0x7b, 0xff, 0xfe, 10])]);
  const { code, stdout, stderr } = await holdfast([...dev(data, '-', 'holdfast'), '-o', 'json'], input);
  assert.equal(code, 0, stderr);
  const summary = JSON.parse(stdout) as {
    skipped: Record<string, number>;
    deadLetters: Record<string, number>;
    lost: number;
  };
  assert.equal(summary.lost, 0);
  assert.equal(summary.skipped.empty_line, 1);
  assert.equal(summary.skipped.no_user, 1);
  const dead = Object.values(summary.deadLetters).reduce((sum, count) => sum + count, 0);
  assert.equal(dead, 4, JSON.stringify(summary.deadLetters));
  const exported = await holdfast(['export', '--data', data, '-o', 'jsonl']);
  const users = exported.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as ExportedUser);
  assert.deepEqual(
    users.map(({ user, events }) => [user, events]),
    [
      ['__proto__', 1],
      ['alice', 2],
      ['constructor', 1],
    ],
  );
});

async function untilApplied(data: string, applied: number): Promise<void> {
  await waitFor(`${applied} records to be applied`, 60_000, async () => {
    const { code, stdout } = await holdfast(['status', '--data', data, '-o', 'json', '--timeout', '1s']);
    if (code === 1 || stdout === '') return null;
    return Number((JSON.parse(stdout) as { totals: { applied: string } }).totals.applied) >= applied || null;
  });
}

/** Starts the command, sends it a Ctrl-C when so many records are applied, and sees it say that it was interrupted. */
async function interrupt(
  args: string[],
  data: string,
  applied: number,
  says = /; run the same command again to go on$/m,
): Promise<void> {
  const { child, result } = startHoldfast(args);
  await untilApplied(data, applied);
  child.kill('SIGINT');
  const { code, stderr } = await result;
  assert.equal(code, 130, stderr);
  assert.match(stderr, says);
}

async function goOn(args: string[]): Promise<void> {
  const { code, stdout, stderr } = await holdfast(args);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /lost 0/);
  assert.match(stdout, /duplicates 0/);
}

test('Ctrl-C in mid-run, and the same command again, lose and repeat nothing', async () => {
  const data = join(dir, 'interrupted');
  const generator = new LogGenerator({
    seed: 5,
    users: 2_000,
    records: 120_000,
    startUnixMs: 1_760_000_000_000,
    anomalies: 5,
  });
  const parts: Uint8Array[] = [];
  for (let next = generator.next(); next !== null; next = generator.next())
    parts.push(next.line.slice(), Buffer.from('\n'));
  const text = Buffer.concat(parts).toString();
  const file = join(dir, 'generated.jsonl');
  writeFileSync(file, text);
  const args = dev(data, file, 'holdfast');
  await interrupt(args, data, 1_000);
  await goOn(args);
  await checkExport(data, 'holdfast', text, 1);
});

test('Ctrl-C in a run on generated records says that the same command would count them twice', async () => {
  const data = join(dir, 'interrupted-generate');
  const args = ['dev', '--once', '--nodes', '1', '--generate', '--records', '60000', '--rate', '2000', '--data', data];
  const says = /; what was fed stays, and the same command feeds all of it again, and counts it again$/m;
  await interrupt(args, data, 200, says);
});

test('Ctrl-C when all is applied, before the summary: the same command again goes on, and feeds nothing twice', async () => {
  const data = join(dir, 'interrupted-late');
  const file = sample('access-nginx-200.jsonl');
  const args = dev(data, file, 'nginx');
  await interrupt(args, data, 200);
  await goOn(args);
  await checkExport(data, 'nginx', readFileSync(file, 'utf8'), 1);
});

test('Ctrl-C ends a run whose standard input is quiet, with the summary of what it has had', {
  timeout: 90_000,
}, async (t) => {
  const data = join(dir, 'quiet');
  const args = ['dev', '--nodes', '1', '--input', '-', '--mapping', 'nginx', '--data', data];
  const { child, result } = startHoldfast(args, null);
  t.after(() => child.kill('SIGKILL'));
  child.stdin!.write(readFileSync(sample('access-nginx-200.jsonl')));
  await untilApplied(data, 200);
  child.kill('SIGINT');
  const { code, stdout, stderr } = await result;
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^records 200$/m);
  assert.match(stdout, /lost 0/);
});
