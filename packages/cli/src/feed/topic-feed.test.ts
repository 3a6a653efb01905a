import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { after, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { openDataFolder } from '@holdfast/embedded';
import { documentSchemas } from '../output-schemas.ts';
import { type Outcome, runHere } from '../run-here.test.ts';

const dir = mkdtempSync(join(tmpdir(), 'holdfast-feed-'));
after(() => rmSync(dir, { recursive: true, force: true }));
const data = join(dir, 'd');
assert.equal(openDataFolder(data, Date.now()).code, 'OK');

const feed = (args: readonly string[], stdin?: string): Promise<Outcome> =>
  runHere(['topic', 'feed', ...args], dir, stdin === undefined ? undefined : Readable.from([Buffer.from(stdin)]));

async function heads(): Promise<number[]> {
  const { out } = await runHere(['topic', 'lag', '--data', data, '-o', 'json'], dir);
  return (JSON.parse(out) as { partitions: { head: string }[] }).partitions.map(({ head }) => Number(head));
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, n) => total + n, 0);

test('a file is fed once, then what it gains, then anew when that is asked for; a stream always', async () => {
  writeFileSync(join(dir, 'in.jsonl'), '{"a":1}\n{"a":2}\n{"a":3}\n');
  const first = await feed(['in.jsonl', '--data', data, '--partitions', '2']);
  assert.deepEqual(first, { exit: 0, out: '3 records fed to access-log\n', err: '' });
  assert.deepEqual(await heads(), [2, 1]);
  const none = await feed(['in.jsonl', '--data', data]);
  assert.equal(none.out, '0 records fed to access-log, behind 3 of before\n');
  appendFileSync(join(dir, 'in.jsonl'), '{"a":4}\n');
  const { out, exit } = await feed(['in.jsonl', '--data', data, '-o', 'json']);
  const document = JSON.parse(out) as object;
  documentSchemas.get('holdfast/feed/v1')!.parse(document);
  const expected = { topic: 'access-log', partitions: 2, records: 1, longLines: 0, began: 'RESUMED', complete: true };
  assert.deepEqual([exit, document], [0, { schema: 'holdfast/feed/v1', ...expected }]);
  assert.deepEqual(await heads(), [2, 2]);
  assert.equal((await feed(['in.jsonl', '--data', data, '--again'])).out, '4 records fed to access-log\n');
  for (const head of [5, 6]) {
    assert.equal((await feed(['-', '--data', data], '{"b":1}')).out, '1 record fed to access-log\n');
    assert.deepEqual(await heads(), [head, 4]);
  }
});

test('two streams feed one topic at once', async () => {
  const before = await heads();
  const streams = [new PassThrough(), new PassThrough()];
  const feeds = streams.map((stream) => runHere(['topic', 'feed', '-', '--data', data], dir, stream));
  // Each in its turn, so that each appends after the other has.
  for (const stream of [...streams, ...streams]) {
    const fed = sum(await heads());
    stream.write('{"c":1}\n');
    for (let looks = 0; looks < 1_000 && sum(await heads()) === fed; looks++) await delay(5);
  }
  for (const stream of streams) stream.end();
  for (const outcome of await Promise.all(feeds)) {
    assert.deepEqual(outcome, { exit: 0, out: '2 records fed to access-log\n', err: '' });
  }
  assert.equal(sum(await heads()), sum(before) + 4);
});

test('a file whose last line was fed half and has grown: one line says what to do, and it works', async () => {
  const grown = join(dir, 'grown.jsonl');
  writeFileSync(grown, '{"a":1}\n{"a":');
  assert.equal((await feed(['grown.jsonl', '--data', data])).out, '2 records fed to access-log\n');
  appendFileSync(grown, '2}\n{"a":3}\n');
  const before = await heads();
  const { exit, out, err } = await feed(['grown.jsonl', '--data', data]);
  assert.deepEqual([exit, out, err.trimEnd().split('\n').length], [1, '', 1]);
  assert.match(err, /grown\.jsonl was fed to byte 13, and its line 2, .*\(tail -n \+2\).*--again/);
  assert.deepEqual(await heads(), before);
  const rest = execFileSync('tail', ['-n', '+2', grown], { encoding: 'utf8' });
  assert.equal((await feed(['-', '--data', data], rest)).out, '2 records fed to access-log\n');
  assert.equal((await feed(['grown.jsonl', '--data', data, '--again'])).out, '3 records fed to access-log\n');
});

test('a file that is another one by now: one line says so, nothing is appended, and --again feeds it', async () => {
  const rotated = join(dir, 'rotated.jsonl');
  writeFileSync(rotated, '{"a":1}\n{"a":2}\n');
  assert.equal((await feed(['rotated.jsonl', '--data', data])).out, '2 records fed to access-log\n');
  const before = await heads();
  renameSync(rotated, `${rotated}.1`);
  writeFileSync(rotated, '{"b":1}\n{"b":2}\n{"b":3}\n');
  const { exit, out, err } = await feed(['rotated.jsonl', '--data', data]);
  assert.deepEqual([exit, out, err.trimEnd().split('\n').length], [1, '', 1]);
  assert.match(err, /rotated\.jsonl is not the file any more of which 16 bytes .* Nothing was appended; with --again /);
  assert.deepEqual(await heads(), before);
  assert.equal((await feed(['rotated.jsonl', '--data', data, '--again'])).out, '3 records fed to access-log\n');
  assert.match((await feed(['rotated.jsonl', '--data', data])).out, /^0 records fed to access-log, behind 3 of before/);
});

test('what can not be fed: one line, and nothing is appended', async () => {
  writeFileSync(join(dir, 'other.jsonl'), '{}\n');
  const before = await heads();
  for (const [args, exit, text] of [
    [['none.jsonl', '--data', data], 1, /none\.jsonl can't be read: there is no such file/],
    [['other.jsonl', '--data', data, '--partitions', '3'], 1, /has 2 partitions; leave out --partitions 3/],
    [['-', '--again', '--data', data], 2, /--again goes with a file/],
    [['other.jsonl'], 2, /give --config FILE of a node, or --data DIR/],
    [['other.jsonl', '--data', join(dir, 'e')], 1, /there is no folder .*e$/m],
  ] as const) {
    const outcome = await feed(args);
    assert.deepEqual([outcome.exit, outcome.out], [exit, ''], outcome.err);
    assert.match(outcome.err, text);
    assert.equal(outcome.err.trimEnd().split('\n').length, 1);
  }
  assert.deepEqual(await heads(), before);
});
