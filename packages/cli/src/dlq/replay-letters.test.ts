import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { LmdbLog, openDataFolder } from '@holdfast/embedded';
import { cutValueBytes, type Log, LogError, type LogErrorCode, type NewRecord } from '@holdfast/engine';
import { CliError } from '../cli-error.ts';
import { documentSchemas } from '../output-schemas.ts';
import { runHere } from '../run-here.test.ts';
import { parseLetterName } from './dead-letter.ts';
import { deadLetterTopic, LetterTopic } from './letter-topic.ts';
import { LetterReplay } from './replay-letters.ts';
import { countLetters, selectLetters } from './select-letters.ts';

const dir = mkdtempSync(join(tmpdir(), 'holdfast-replay-'));
after(() => rmSync(dir, { recursive: true, force: true }));
const clock = { monotonicMs: () => performance.now(), wallUnixMs: () => Date.now() };
const patienceMs = 10_000;

function letter(id: number, valueBytes = 3): NewRecord {
  const headers = { id: `dead/${id}`, reason: 'bad_json', job: 'j', version: '1', 'key-is': 'record' };
  const value = new Uint8Array(valueBytes).fill(0x61);
  return { key: null, value, headers: { ...headers, topic: 'in', partition: '0', offset: String(id) } };
}

async function withLetters(name: string, letters: readonly NewRecord[], work: (log: LmdbLog) => Promise<void>) {
  const opened = openDataFolder(join(dir, name), Date.now());
  assert.ok(opened.code === 'OK');
  const log = await LmdbLog.open(opened.folder.logPath, clock);
  try {
    await log.createTopic('in', 1);
    await log.createTopic(deadLetterTopic, 1);
    await log.append(deadLetterTopic, 0, letters);
    await work(log);
  } finally {
    await log.close();
  }
}

/** The log, whose appends are told of before they are made; what that throws is what becomes of them. */
function told(log: LmdbLog, onAppend: (records: readonly NewRecord[]) => Promise<void> | void): Log {
  const append = async (...args: Parameters<Log['append']>): Promise<number> => {
    await onAppend(args[2]);
    return log.append(...args);
  };
  return new Proxy<Log>(log, {
    get: (target, name) => (name === 'append' ? append : Reflect.get(target, name).bind(target)),
  });
}

/** Takes so many records of an append, and fails. */
function takes(log: LmdbLog, appended: number, code: LogErrorCode): Log {
  return told(log, async (records) => {
    await log.append('in', 0, records.slice(0, appended));
    throw new LogError(code, 'broker gone', { appended });
  });
}

async function replayAll(log: Log, afterName?: string, stop = { raised: false }) {
  const topic = (await LetterTopic.open(log, patienceMs))!;
  const place = afterName === undefined ? null : parseLetterName(afterName);
  const meant = () => selectLetters(topic, null, {}, place);
  const replay = new LetterReplay(log, patienceMs);
  return { replay, next: await replay.all(meant(), await countLetters(meant()), stop) };
}

/** Offsets of the letters that a replay of all would take. */
async function taken(log: Log): Promise<number[]> {
  const offsets: number[] = [];
  const topic = await LetterTopic.open(log, patienceMs);
  for await (const { offset } of selectLetters(topic, null, {})) offsets.push(offset);
  return offsets;
}

const letters = (count: number) => Array.from({ length: count }, (_, id) => letter(id));
const says = (text: RegExp) => (error: unknown) => error instanceof CliError && text.test(error.message);

describe('a replay', () => {
  test('a letter that can not be replayed is left out and named; those beside it are replayed', () => {
    const { headers, ...record } = letter(2);
    const { topic: _, ...unplaced } = headers!;
    const gone = { ...record, headers: { ...headers, id: 'gone', topic: 'gone' } };
    const all = [letter(0), letter(1), gone, { ...record, headers: { ...unplaced, id: 'unplaced' } }, letter(3)];
    return withLetters('refused', all, async (log) => {
      const { exit, out, err } = await runHere(
        ['dlq', 'replay', '--all', '--yes', '--data', join(dir, 'refused')],
        dir,
      );
      assert.deepEqual([exit, out], [1, '5 match, 3 replayed\n']);
      const named = '0@2: there is no topic gone; 0@3: it does not say which record it was';
      assert.equal(err, `holdfast: 2 letters are not replayed: ${named}\n`);
      assert.deepEqual(await log.endOffsets('in'), [3]);
    });
  });
});

describe('a replay that is cut short', () => {
  test('what the log has of an append that failed is counted, what it may have is named, and nothing is doubled', () =>
    withLetters('unclear', letters(8), async (log) => {
      const why =
        /^letter 0@3 is perhaps not replayed: broker gone; 3 of 8 are replayed, perhaps up to 5 more: look whether in\/0 ends with records whose replay-of is of 0@3 to 0@7; --after 0@2 goes on with these, --after LETTER behind one of them$/;
      await assert.rejects(replayAll(takes(log, 3, 'LOG_IO')), says(why));
      assert.deepEqual(await log.endOffsets('in'), [3]);
      assert.equal((await replayAll(log, '0@2')).replay.replayed, 5);
      assert.deepEqual(await log.endOffsets('in'), [8]);
    }));

  test('of a record that is too large the log says that it has none behind it', () =>
    withLetters('clear', letters(8), async (log) => {
      const why = /^letter 0@2 is not replayed: broker gone; 2 of 8 are replayed; --after 0@1 goes on$/;
      await assert.rejects(replayAll(takes(log, 2, 'RECORD_TOO_LARGE')), says(why));
    }));

  test('it stops between two appends, and the next one goes on behind the last', () =>
    withLetters('stopped', letters(120), async (log) => {
      const stop = { raised: false };
      const stopping = told(log, () => void (stop.raised = true));
      const { replay, next } = await replayAll(stopping, undefined, stop);
      assert.deepEqual([replay.replayed, replay.last?.offset, next?.offset], [50, 49, 50]);
      assert.deepEqual(await log.endOffsets('in'), [50]);
      assert.equal((await replayAll(log, '0@49')).replay.replayed, 70);
    }));

  test('a signal: the count, the next letter, and exit 130', () =>
    withLetters('signal', letters(3), async (log) => {
      const interrupt = (name: string | symbol) => {
        if (name === 'SIGINT') queueMicrotask(() => process.emit('SIGINT'));
      };
      const args = ['dlq', 'replay', '--all', '--yes', '--data', join(dir, 'signal')];
      for (const form of ['text', 'json']) {
        process.on('newListener', interrupt);
        const { exit, out, err } = await runHere([...args, '-o', form], dir);
        process.off('newListener', interrupt);
        assert.deepEqual([exit, err], [130, '']);
        if (form === 'text') {
          assert.equal(out, '3 match, 0 replayed; interrupted: the next is 0@0, the same command goes on\n');
        } else {
          const counts = { matching: '3', replayed: '0', refused: '0', last: null, next: '0@0' };
          documentSchemas.get('holdfast/dlq-replay/v1')!.parse(JSON.parse(out));
          assert.deepEqual(JSON.parse(out), { schema: 'holdfast/dlq-replay/v1', ...counts });
        }
      }
      assert.deepEqual(await log.endOffsets('in'), [0]);
      assert.equal((await runHere([...args, '--after', '0@0'], dir)).out, '2 match, 2 replayed\n');
      assert.equal((await runHere([...args, '--after', 'x'], dir)).exit, 2);
      const named = await runHere(['dlq', 'replay', '0@1', '--after', '0@0', '--data', join(dir, 'signal')], dir);
      assert.equal(named.exit, 2);
    }));

  test('it stops between letters that are not meant as well', () =>
    withLetters('sparse', letters(8), async (log) => {
      const topic = await LetterTopic.open(log, patienceMs);
      const stop = { raised: false };
      const looked: number[] = [];
      const filter = {
        get reason(): string {
          stop.raised = looked.push(looked.length) === 3;
          return 'none of them';
        },
      };
      const replay = new LetterReplay(log, patienceMs);
      const next = await replay.all(selectLetters(topic, null, filter, null, stop), 0, stop);
      assert.deepEqual([looked.length, next?.offset], [3, 3]);
    }));

  test('those that were left out till then are named, and nothing in them acts on a terminal', (t) => {
    const gone: NewRecord = { ...letter(0), headers: { ...letter(0).headers, topic: '\u001b[2Jgone' } };
    return withLetters('escapes', [gone, letter(1)], async () => {
      const { describe: described } = LmdbLog.prototype;
      t.mock.method(LmdbLog.prototype, 'describe', function (this: LmdbLog, topic: string) {
        if (topic.endsWith('gone')) process.emit('SIGINT');
        return described.call(this, topic);
      });
      const { exit, err } = await runHere(['dlq', 'replay', '--all', '--yes', '--data', join(dir, 'escapes')], dir);
      assert.deepEqual(
        [exit, err],
        [130, 'holdfast: a letter is not replayed: 0@0: there is no topic \\u001b[2Jgone\n'],
      );
    });
  });

  test('behind a letter, what repeats one of those before it is left out', () =>
    withLetters('repeated', [letter(0), letter(1), letter(0), letter(2)], async (log) => {
      assert.equal((await replayAll(log, '0@1')).replay.replayed, 1);
    }));

  test('a record that failed under two versions of its job is taken once, another record at its place as well', () => {
    const under = (version: string, text: string, more: Record<string, string> = {}): NewRecord => {
      const { headers } = letter(7);
      const value = new TextEncoder().encode(text);
      return { key: null, value, headers: { ...headers, id: `j/${version}/in/0/7/dead`, version, ...more } };
    };
    const all = [
      under('1', 'a'),
      under('2', 'a', { 'key-is': 'user' }),
      under('1', 'of the topic made anew'),
      under('3', 'of the topic made anew'),
      under('1', 'a', { job: 'k', id: 'k/1/in/0/7/dead' }),
      under('4', 'a', { truncated: '9' }),
      under('1', 'a'),
    ];
    return withLetters('versions', all, async (log) => {
      assert.deepEqual(await taken(log), [0, 2, 4, 5]);
      const topic = await LetterTopic.open(log, patienceMs);
      assert.equal(await countLetters(selectLetters(topic, { partition: 0, offset: 1 }, {})), 1);
    });
  });

  test('a record whose letter was cut at one time, and less or not at another, is taken once', () => {
    const whole = (lastByte: number): NewRecord => {
      const record = letter(0, cutValueBytes + 1);
      record.value![cutValueBytes] = lastByte;
      return record;
    };
    const cut = (value: Uint8Array): NewRecord => ({
      ...letter(0),
      value,
      headers: { ...letter(0).headers, truncated: String(cutValueBytes + 1) },
    });
    const short = cut(whole(1).value!.subarray(0, cutValueBytes));
    const bare = cut(new Uint8Array(0));
    const other = cut(new Uint8Array(cutValueBytes));
    const all = [bare, short, whole(1), other, bare, whole(2), whole(1), short];
    return withLetters('cut', all, async (log) => assert.deepEqual(await taken(log), [0, 3, 5]));
  });

  test('of letters that do not say which record it was, those of one id are taken once', () => {
    const unplaced = (id: string): NewRecord => ({ key: null, value: null, headers: { id, job: 'j', version: '1' } });
    const all = [unplaced('a'), unplaced('b'), unplaced('a'), unplaced(''), unplaced('')];
    return withLetters('unplaced', all, async (log) => assert.deepEqual(await taken(log), [0, 1, 3, 4]));
  });

  test('no append is of more than 4 MiB', () =>
    withLetters(
      'large',
      Array.from({ length: 9 }, (_, id) => letter(id, 1 << 20)),
      async (log) => {
        const counts: number[] = [];
        assert.equal((await replayAll(told(log, ({ length }) => void counts.push(length)))).replay.replayed, 9);
        assert.deepEqual(counts, [4, 4, 1]);
      },
    ));
});
