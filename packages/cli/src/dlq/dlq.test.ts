import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { LmdbLog, openDataFolder } from '@holdfast/embedded';
import type { NewRecord } from '@holdfast/engine';
import { documentSchemas } from '../output-schemas.ts';
import { runHere } from '../run-here.test.ts';
import { deadLetterTopic } from './letter-topic.ts';

const dir = mkdtempSync(join(tmpdir(), 'holdfast-dlq-'));
const data = join(dir, 'data');
const bytes = (text: string) => new TextEncoder().encode(text);
const clock = { monotonicMs: () => performance.now(), wallUnixMs: () => Date.now() };
let log: LmdbLog;

const holdfast = (...args: string[]) => runHere(args, dir);

async function json(...args: string[]): Promise<Record<string, unknown>> {
  const { exit, out, err } = await holdfast(...args, '-o', 'json');
  assert.equal(exit, 0, err);
  const document = JSON.parse(out) as { schema: string };
  documentSchemas.get(document.schema)!.parse(document);
  return document as never;
}

function letter(partition: number, offset: number, given: Record<string, string>, record: NewRecord): NewRecord {
  const id = `access-anomaly/1/in/${partition}/${offset}/dead`;
  const from = { topic: 'in', partition: String(partition), offset: String(offset) };
  return { ...record, headers: { id, job: 'access-anomaly', version: '1', 'key-is': 'record', ...from, ...given } };
}

/** What lies in a partition of the input from an offset on. */
async function readInput(partition: number, from: number) {
  const { topicId } = (await log.describe('in'))!;
  const reader = await log.openReader('in', { topicId, partition }, from);
  const batch = await reader.next(1 << 20, 0);
  await reader.close();
  const text = (starts: Int32Array, ends: Int32Array, i: number) =>
    starts[i]! < 0 ? null : new TextDecoder().decode(batch!.bytes.subarray(starts[i]!, ends[i]!));
  return Array.from({ length: batch?.count ?? 0 }, (_, i) => ({
    key: text(batch!.keyStarts, batch!.keyEnds, i),
    value: text(batch!.valueStarts, batch!.valueEnds, i),
    headers: batch!.headersOf?.(i),
  }));
}

describe('dead letters', () => {
  before(async () => {
    const opened = openDataFolder(data, Date.now());
    assert.ok(opened.code === 'OK');
    log = await LmdbLog.open(opened.folder.logPath, clock);
    await log.createTopic('in', 2);
    await log.append('in', 0, [
      { key: bytes('k0'), value: bytes('{'), headers: { trace: 't0' } },
      { key: bytes('k1'), value: bytes('{"user":"u"}'), headers: { trace: 't1' } },
    ]);
    await log.createTopic(deadLetterTopic, 2);
    await log.append(deadLetterTopic, 0, [
      letter(0, 0, { reason: 'bad_json', 'header.trace': 't0' }, { key: bytes('k0'), value: bytes('{') }),
      letter(0, 1, { reason: 'no-time', 'key-is': 'user' }, { key: bytes('u'), value: bytes('{"user":"u"}') }),
    ]);
    await log.append(deadLetterTopic, 1, [
      letter(1, 7, { reason: 'bad_json' }, { key: null, value: new Uint8Array([0xff, 0]) }),
    ]);
  });
  after(async () => {
    await log.close();
    rmSync(dir, { recursive: true, force: true });
  });

  test('ls shows the newest, where each record was and why it failed', async () => {
    const { exit, out, err } = await holdfast('dlq', 'ls', '--data', data);
    assert.equal(exit, 0, err);
    const [header, ...rows] = out.trimEnd().split('\n');
    assert.match(header!, /^LETTER +TOPIC +PART +OFFSET +JOB +REASON +AGE +BYTES$/);
    assert.equal(rows.length, 3);
    assert.match(rows.find((row) => row.startsWith('1@0'))!, /^1@0 +in +1 +7 +access-anomaly +bad_json +\d+s +2B$/);
    assert.equal(err, `3 dead letters in ${deadLetterTopic}\n`);
    const only = await json('dlq', 'ls', '--data', data, '--reason', 'no-time');
    assert.deepEqual(
      (only.letters as { letter: string }[]).map(({ letter }) => letter),
      ['0@1'],
    );
    assert.equal(((await json('dlq', 'ls', '--data', data, '-n', '1')).letters as unknown[]).length, 1);
  });

  test('ls looks no further back than it is told, and says so', async () => {
    const { out, err } = await holdfast('dlq', 'ls', '--data', data, '--look', '1', '--reason', 'none');
    assert.equal(out.trimEnd().split('\n').length, 1);
    assert.match(err, /looked at the newest 1, --look says how far/);
    const { letters, looked } = await json('dlq', 'ls', '--data', data, '--look', '2');
    assert.equal(looked, '2');
    assert.deepEqual(
      (letters as { letter: string }[]).map(({ letter }) => letter).sort(),
      ['0@1', '1@0'],
      'the newest of each partition',
    );
  });

  test('show gives the bytes', async () => {
    const shown = await json('dlq', 'show', '0@0', '--data', data);
    assert.deepEqual(shown.value, { text: '{', base64: 'ew==' });
    assert.deepEqual(shown.headers, { trace: 't0' });
    assert.match((await holdfast('dlq', 'show', '1@0', '--data', data)).out, /^value 0xff00$/m);
    const missing = await holdfast('dlq', 'show', '0@9', '--data', data);
    assert.deepEqual([missing.exit, missing.err], [3, 'holdfast: there is no dead letter 0@9\n']);
    assert.equal((await holdfast('dlq', 'show', 'x', '--data', data)).exit, 2);
  });

  test('replay counts first, and does nothing without --yes', async () => {
    const { out, err } = await holdfast('dlq', 'replay', '--data', data, '--reason', 'bad_json');
    assert.deepEqual([out, err], ['2 match, 0 replayed\n', 'nothing was replayed: say --yes to do it\n']);
    assert.deepEqual(await log.endOffsets('in'), [2, 0]);
    const tooMany = await holdfast('dlq', 'replay', '--data', data, '--all', '--yes', '--max', '2');
    assert.deepEqual([tooMany.exit, tooMany.err], [2, 'holdfast: dlq replay: 3 letters match, more than --max 2\n']);
    assert.equal((await holdfast('dlq', 'replay', '--data', data)).exit, 2);
    assert.equal((await holdfast('dlq', 'replay', '0@0', '--all', '--data', data)).exit, 2);
  });

  test('a replayed record has its bytes, key and headers again, and says which letter it was', async () => {
    assert.equal((await json('dlq', 'replay', '0@0', '--data', data)).replayed, '1');
    const replayOf = (offset: number) => ({ 'replay-of': `access-anomaly/1/in/0/${offset}/dead` });
    assert.deepEqual(await readInput(0, 2), [{ key: 'k0', value: '{', headers: { trace: 't0', ...replayOf(0) } }]);
    // The holder had it by its user: the input still has the record as it was.
    assert.equal((await json('dlq', 'replay', '--reason', 'no-time', '--yes', '--data', data)).replayed, '1');
    assert.deepEqual(await readInput(0, 3), [
      { key: 'k1', value: '{"user":"u"}', headers: { trace: 't1', ...replayOf(1) } },
    ]);
    assert.equal((await json('dlq', 'replay', '--all', '--yes', '--data', data)).replayed, '3');
    assert.deepEqual(await log.endOffsets('in'), [6, 1]);
  });

  test('a cut letter is shown as one, and replayed from the input or not at all', async () => {
    const whole = '{'.padEnd(100, 'w');
    const headers = { trace: 't6' };
    const at = await log.append('in', 0, [{ key: bytes('k6'), value: bytes(whole), headers }]);
    const cut = { reason: 'too-large', truncated: '100' };
    const [end] = await log.endOffsets(deadLetterTopic);
    await log.append(deadLetterTopic, 0, [
      letter(0, at, { ...cut, 'header.trace': 't6' }, { key: bytes('k6'), value: bytes(whole.slice(0, 10)) }),
      letter(0, at, { ...cut, 'key-is': 'cut', id: 'bare' }, { key: null, value: bytes('') }),
      letter(0, at, { ...cut, id: 'other' }, { key: null, value: bytes('other') }),
      letter(0, at + 90, { ...cut, id: 'gone' }, { key: null, value: bytes(whole.slice(0, 10)) }),
    ]);
    const [first, bare, other, gone] = [0, 1, 2, 3].map((i) => `0@${end! + i}`);
    assert.match(
      (await holdfast('dlq', 'show', first!, '--data', data)).out,
      /^value \{w{9} \(cut: 10 of 100 bytes\)$/m,
    );
    assert.match((await holdfast('dlq', 'show', bare!, '--data', data)).out, /^key and headers are cut$/m);
    const { keyIs, wholeBytes, valueBytes } = await json('dlq', 'show', bare!, '--data', data);
    assert.deepEqual({ keyIs, wholeBytes, valueBytes }, { keyIs: 'cut', wholeBytes: 100, valueBytes: 0 });
    for (const [name, id] of [
      [first!, `access-anomaly/1/in/0/${at}/dead`],
      [bare!, 'bare'],
    ] as const) {
      const [before] = await log.endOffsets('in');
      assert.equal((await json('dlq', 'replay', name, '--data', data)).replayed, '1');
      const replayed = { key: 'k6', value: whole, headers: { trace: 't6', 'replay-of': id } };
      assert.deepEqual(await readInput(0, before!), [replayed]);
    }
    const before = await log.endOffsets('in');
    for (const name of [other!, gone!]) {
      const { exit, err } = await holdfast('dlq', 'replay', name, '--data', data);
      assert.equal(exit, 1);
      assert.match(
        err,
        new RegExp(`not replayed: ${name}: it has \\d+ of 100 bytes, and the input has its record no more`),
      );
    }
    assert.deepEqual(await log.endOffsets('in'), before);
  });

  test('a letter whose headers are no counts is shown and listed all the same, and still counts as cut', async () => {
    const odd = { 'output-bytes': 'many', truncated: '-', reason: 'odd' };
    const at = await log.append(deadLetterTopic, 1, [
      letter(1, 7, { ...odd, 'output-topic': 'out' }, { key: null, value: bytes('x') }),
      letter(1, 7, odd, { key: null, value: bytes('x') }),
      letter(1, 7, { ...odd, partition: '1'.padEnd(30, '0') }, { key: null, value: bytes('x') }),
    ]);
    const { letters } = await json('dlq', 'ls', '--data', data, '--reason', 'odd');
    const row = (letters as { letter: string; output: unknown }[]).find(({ letter }) => letter === `1@${at}`)!;
    assert.deepEqual(row.output, { topic: 'out', bytes: null });
    const shown = await holdfast('dlq', 'show', `1@${at}`, '--data', data);
    assert.match(shown.out, /of an output of \? bytes for out$/m);
    assert.match(shown.out, /^value x \(cut: 1 of \? bytes\)$/m);
    const { exit, err } = await holdfast('dlq', 'replay', `1@${at + 1}`, '--data', data);
    assert.equal(exit, 1);
    assert.match(err, /it has 1 of \? bytes, and the input has its record no more/);
  });

  test('the letter of an output says so, and is not replayed; those beside it are', async () => {
    const own = {
      id: 'o/too-large',
      reason: 'output-too-large',
      job: 'access-anomaly',
      version: '1',
      'key-is': 'record',
    };
    const output = { 'output-topic': 'out', 'output-bytes': '2000000', 'header.id': 'o' };
    const at = await log.append(deadLetterTopic, 1, [
      { key: bytes('u'), value: bytes('big'), headers: { ...own, ...output } },
      letter(1, 7, { reason: 'output-too-large', id: 'beside' }, { key: null, value: bytes('x') }),
    ]);
    const shown = await holdfast('dlq', 'show', `1@${at}`, '--data', data);
    assert.match(shown.out, /output-too-large {2}of an output of 2000000 bytes for out$/m);
    const { exit, out, err } = await holdfast('dlq', 'replay', '--reason', 'output-too-large', '--yes', '--data', data);
    assert.deepEqual([exit, out], [1, '2 match, 1 replayed\n']);
    assert.match(
      err,
      new RegExp(`a letter is not replayed: 1@${at}: its record was applied, all but the output for out`),
    );
  });

  test('topic lag shows what is committed', async () => {
    const { topicId } = (await log.describe('in'))!;
    await log.commit('access-anomaly', [
      { partition: { topicId, partition: 0 }, offset: 1, generationId: 'life', fence: 1 },
    ]);
    const args = ['topic', 'lag', '--data', data, '--topic', 'in'];
    const document = await json(...args);
    assert.deepEqual(document.partitions, [
      { topic: 'in', partition: 0, committed: '1', head: '9', lag: '8' },
      { topic: 'in', partition: 1, committed: null, head: '2', lag: '2' },
    ]);
    const { out } = await holdfast(...args);
    assert.match(out, /^TOPIC +PART +COMMITTED +HEAD +LAG\nin +0 +1 +9 +8\nin +1 +- +2 +2\n$/);
    assert.equal((await holdfast('topic', 'lag', '--data', data)).exit, 3, 'there is no access-log here');
  });

  test('the log is opened as a configuration says; one of the two is needed', async () => {
    writeFileSync(join(dir, 'node.yaml'), `node: {id: n1}\ndata: ${data}\njob: {input: in}\n`);
    assert.equal((await json('topic', 'lag', '--config', 'node.yaml')).group, 'access-anomaly');
    assert.equal((await holdfast('dlq', 'ls')).exit, 2);
    assert.equal((await holdfast('dlq', 'ls', '--data', data, '--config', 'node.yaml')).exit, 2);
    assert.match((await holdfast('dlq', 'ls', '--data', join(dir, 'none'))).err, /there is no folder/);
  });
});
