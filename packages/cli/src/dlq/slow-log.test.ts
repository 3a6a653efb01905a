import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { LmdbLog } from '@holdfast/embedded';
import type { Log, LogReader, NewRecord } from '@holdfast/engine';
import { CliError } from '../cli-error.ts';
import { exitCodes } from '../exit-codes.ts';
import { deadLetterTopic, LetterTopic } from './letter-topic.ts';
import { LetterReplay } from './replay-letters.ts';
import { countLetters, selectLetters } from './select-letters.ts';
import { originalOf } from './stored-records.ts';

const dir = mkdtempSync(join(tmpdir(), 'holdfast-dlq-slow-'));
const clock = { monotonicMs: () => performance.now(), wallUnixMs: () => Date.now() };
const bytes = (text: string) => new TextEncoder().encode(text);
let log: LmdbLog;

function letter(offset: number): NewRecord {
  const headers = { id: `dead/${offset}`, reason: 'bad_json', job: 'j', version: '1', 'key-is': 'user' };
  return {
    key: bytes('u'),
    value: bytes(`value ${offset}`),
    headers: { ...headers, topic: 'in', partition: '0', offset: String(offset) },
  };
}

/** A log whose broker is away for so long after a reader was opened: as Kafka's, that reader gives null meanwhile. */
function slow(awayMs: number, topics: readonly string[] = ['in', deadLetterTopic]): Log {
  const openReader = async (...args: Parameters<Log['openReader']>): Promise<LogReader> => {
    const reader = await log.openReader(...args);
    if (!topics.includes(args[0])) return reader;
    const backMs = performance.now() + awayMs;
    return {
      next: async (bytesMax, waitMs) => {
        const leftMs = Math.max(backMs - performance.now(), 0);
        await delay(Math.min(leftMs, waitMs));
        return leftMs > waitMs ? null : reader.next(bytesMax, waitMs - leftMs);
      },
      close: () => reader.close(),
    };
  };
  return new Proxy<Log>(log, {
    get: (target, name) => (name === 'openReader' ? openReader : Reflect.get(target, name).bind(target)),
  });
}

const timesOut = (text: RegExp) => (error: unknown) =>
  error instanceof CliError && error.exit === exitCodes.timedOut && text.test(error.message);

describe('dead letters on a broker that takes its time', () => {
  before(async () => {
    log = await LmdbLog.open(join(dir, 'log'), clock);
    await log.createTopic('in', 1);
    const offsets = [...Array(8).keys()];
    await log.append(
      'in',
      0,
      offsets.map((offset) => ({ key: bytes(`k${offset}`), value: bytes(`value ${offset}`) })),
    );
    await log.createTopic(deadLetterTopic, 1);
    await log.append(deadLetterTopic, 0, offsets.map(letter));
  });
  after(async () => {
    await log.close();
    rmSync(dir, { recursive: true, force: true });
  });

  test('it is waited for, and nothing is left out', async () => {
    const broker = slow(200);
    const topic = (await LetterTopic.open(broker, 10_000))!;
    const { letters } = await topic.newest(20, 100, () => true);
    assert.equal(letters.length, 8);
    const kept = JSON.stringify(letters);
    assert.ok(kept.includes('"valueBytes":7') && !kept.includes('value 0'), 'sizes, no bytes');
    assert.ok(letters.every((row) => !Object.values(row).some((field) => (field as unknown) instanceof Uint8Array)));
    assert.equal((await topic.at(0, 3))?.id, 'dead/3');
    const original = await originalOf(broker, { topic: 'in', partition: 0, offset: 5 }, 10_000);
    assert.equal(new TextDecoder().decode(original!.key!), 'k5');
  });

  test('a log that gives all at once leaves room for signals', async () => {
    let turned = false;
    setImmediate(() => {
      turned = true;
    });
    await countLetters(selectLetters(await LetterTopic.open(log, 10_000), null, {}));
    assert.ok(turned);
  });

  test('what is not there in time is a failure, never an answer', async () => {
    const broker = slow(10_000);
    const topic = (await LetterTopic.open(broker, 20))!;
    const late = timesOut(
      /^holdfast\.dead-letters\/0 has records up to offset \d, but gave none from \d on within 0\.02s/,
    );
    await assert.rejects(
      topic.newest(20, 100, () => true),
      late,
    );
    await assert.rejects(topic.at(0, 3), late);
    await assert.rejects(countLetters(selectLetters(topic, null, {})), late);
    await assert.rejects(originalOf(broker, { topic: 'in', partition: 0, offset: 5 }, 20), timesOut(/^in\/0 /));
  });

  test('a replay that can not have all records says how many it has replayed', async () => {
    const topic = (await LetterTopic.open(log, 10_000))!;
    const replay = new LetterReplay(slow(10_000, ['in']), 20);
    await assert.rejects(replay.all(selectLetters(topic, null, {}), 8), timesOut(/^in\/0 .*; 0 of 8 are replayed$/));
    assert.deepEqual(await log.endOffsets('in'), [8]);
  });

  test('a replay of fewer than were counted has failed', async () => {
    const topic = (await LetterTopic.open(log, 10_000))!;
    const replay = new LetterReplay(log, 10_000);
    await assert.rejects(
      replay.all(selectLetters(topic, { partition: 0, offset: 2 }, {}), 8),
      (error: unknown) =>
        error instanceof CliError && error.exit === exitCodes.failed && /; 1 of 8 are replayed$/.test(error.message),
    );
    assert.deepEqual(await log.endOffsets('in'), [9]);
  });
});
