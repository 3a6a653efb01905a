import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { after, test } from 'node:test';
import { crc32 } from 'node:zlib';
import { partitionOf, readRecords, recordsOf } from '@holdfast/testkit';
import fc from 'fast-check';
import { completeRuns, type FeedProgress, feedFile, feedStream, lineBytesCap } from './feed.ts';
import { decodeFeedState, encodeFeedState } from './feed-state.ts';
import { LineSplitter } from './line-splitter.ts';
import { LmdbLog } from './lmdb-log.ts';
import { systemClock, temporaryFolder } from './test-support.test.ts';

const options = { topic: 'in', mapping: 'm' };

if (process.argv[2] === 'feed') await feedInChild(process.argv[3]!, process.argv[4]!);
else tests();

async function feedInChild(logPath: string, file: string): Promise<void> {
  const log = await LmdbLog.open(logPath, systemClock);
  for await (const progress of feedFile(log, file, options)) process.send!(progress);
  await log.close();
  process.disconnect!();
}

async function drain(feed: AsyncGenerator<FeedProgress>): Promise<FeedProgress> {
  let last: FeedProgress | null = null;
  for await (const progress of feed) last = progress;
  return last!;
}

function tests(): void {
  const { dir, remove } = temporaryFolder();
  const logs: LmdbLog[] = [];
  after(async () => {
    for (const log of logs) await log.close();
    remove();
  });
  async function fresh(
    partitions: number,
  ): Promise<{ log: LmdbLog; logPath: string; file: string; read: () => Promise<(string | null)[]> }> {
    const logPath = join(dir, `log-${logs.length}`);
    const log = await LmdbLog.open(logPath, systemClock);
    logs.push(log);
    const topic = await log.createTopic('in', partitions);
    /** The lines in the order of the file. */
    const read = async () => {
      const ends = await log.endOffsets('in');
      const columns: (string | null)[][] = [];
      for (let p = 0; p < partitions; p++) {
        const reader = await log.openReader('in', partitionOf(topic, p), 0);
        columns.push((await readRecords(reader, ends[p]!)).map((r) => r.value));
        await reader.close();
      }
      const total = ends.reduce((a, b) => a + b, 0);
      return Array.from({ length: total }, (_, i) => columns[i % partitions]![Math.floor(i / partitions)]!);
    };
    return { log, logPath, file: join(dir, `input-${logs.length}`), read };
  }

  test('splits lines as a whole-text split would, wherever the chunks end', () => {
    const text = fc
      .array(fc.constantFrom('a', 'bc', '\n', '\r\n', '\r', 'ü', '{"x":1}'), { maxLength: 40 })
      .map((p) => p.join(''));
    fc.assert(
      fc.property(text, fc.array(fc.nat(60), { maxLength: 6 }), (input, cuts) => {
        const bytes = Buffer.from(input);
        const splitter = new LineSplitter(1_000);
        const ends = [...cuts.map((c) => Math.min(c, bytes.length)), bytes.length].sort((a, b) => a - b);
        const lines = ends.flatMap((end, i) => splitter.push(bytes.subarray(i === 0 ? 0 : ends[i - 1]!, end)));
        const last = splitter.end();
        if (last !== null) lines.push(last);
        const expected = input.split('\n');
        const ended = expected.pop()!;
        const values = expected.map((l) => (l.endsWith('\r') ? l.slice(0, -1) : l));
        if (ended !== '') values.push(ended);
        assert.deepEqual(
          lines.map((l) => Buffer.from(l.value).toString()),
          values,
        );
        assert.equal(
          lines.reduce((sum, l) => sum + l.bytes, 0),
          bytes.length,
        );
      }),
    );
  });

  test('feeds every line: empty, CRLF, the last without an end', async () => {
    const { log, file, read } = await fresh(3);
    writeFileSync(file, 'one\r\n\ntwo\nthree');
    const last = await drain(feedFile(log, file, options));
    assert.deepEqual(await read(), ['one', '', 'two', 'three']);
    assert.deepEqual(last, {
      run: 1,
      bytes: 15,
      bytesTotal: 15,
      records: 4,
      longLines: 0,
      complete: true,
      began: { code: 'FRESH' },
    });
  });

  test('a byte-order mark at the very beginning is no part of the first record', async () => {
    const { log, file, read } = await fresh(2);
    writeFileSync(file, '\ufeff{"a":1}\n\ufeffb\n');
    const last = await drain(feedFile(log, file, options));
    assert.deepEqual(await read(), ['{"a":1}', '\ufeffb']);
    assert.equal(last.bytes, 16);
  });

  test('a complete feed run again is a new run; an empty file is complete', async () => {
    const { log, file, read } = await fresh(1);
    writeFileSync(file, 'a\n');
    await drain(feedFile(log, file, options));
    const again = await drain(feedFile(log, file, options));
    assert.deepEqual([again.run, again.began.code, again.records], [2, 'AGAIN', 1]);
    assert.deepEqual(await read(), ['a', 'a']);
    const other = await drain(feedFile(log, file, { ...options, mapping: 'other' }));
    assert.deepEqual([other.run, other.began.code], [1, 'FRESH']);
    writeFileSync(`${file}-empty`, '');
    const empty = await drain(feedFile(log, `${file}-empty`, options));
    assert.deepEqual([empty.records, empty.complete], [0, true]);
  });

  test('counts long lines, and cuts those beyond the cap', async () => {
    const { log, file } = await fresh(1);
    writeFileSync(file, `short\n${'x'.repeat(2_000)}\n${'y'.repeat(lineBytesCap + 5)}\nend\n`);
    const last = await drain(feedFile(log, file, { ...options, lineBytesMax: 1_000 }));
    assert.deepEqual([last.records, last.longLines], [4, 2]);
    const topic = (await log.describe('in'))!;
    const reader = await log.openReader('in', partitionOf(topic, 0), 0);
    const lengths = (await readRecords(reader, 4)).map((r) => r.value!.length);
    assert.deepEqual(lengths, [5, 2_000, lineBytesCap, 3]);
  });

  test('goes on exactly where it stopped, also when the file has grown', async () => {
    const { log, file, read } = await fresh(2);
    const lines = Array.from({ length: 60_000 }, (_, i) => `line ${i} ${'.'.repeat(i % 50)}`);
    writeFileSync(file, `${lines.slice(0, 50_000).join('\n')}\n`);
    for await (const progress of feedFile(log, file, options)) {
      assert.ok(!progress.complete);
      break;
    }
    appendFileSync(file, lines.slice(50_000).join('\n'));
    const last = await drain(feedFile(log, file, options));
    assert.ok(last.began.code === 'RESUMED' && last.began.records > 0);
    assert.deepEqual([last.run, last.records, last.complete], [1, lines.length, true]);
    assert.deepEqual(await read(), lines);
  });

  test('goes on behind the end of a complete feed when asked to', async () => {
    const { log, file, read } = await fresh(1);
    writeFileSync(file, 'a\nb\n');
    await drain(feedFile(log, file, options));
    const more = { ...options, whenComplete: 'goOn' } as const;
    const none = await drain(feedFile(log, file, more));
    assert.deepEqual([none.began, none.records, none.complete], [{ code: 'RESUMED', bytes: 4, records: 2 }, 2, true]);
    appendFileSync(file, 'c\n');
    assert.equal((await drain(feedFile(log, file, more))).records, 3);
    assert.deepEqual(await read(), ['a', 'b', 'c']);
  });

  test('a run that was cut short takes only what it fed itself for its own', async () => {
    const { log, file, read } = await fresh(1);
    writeFileSync(file, 'a\nb\n');
    assert.equal(await completeRuns(log, file, options), 0);
    const skip = { ...options, whenComplete: 'skip' } as const;
    await drain(feedFile(log, file, options));
    assert.equal((await drain(feedFile(log, file, skip))).began.code, 'COMPLETE_BEFORE');
    // The next one was killed before its first line.
    const second = { ...skip, completeBefore: await completeRuns(log, file, options) };
    const own = await drain(feedFile(log, file, second));
    assert.deepEqual([own.run, own.began.code], [2, 'AGAIN']);
    assert.equal((await drain(feedFile(log, file, second))).began.code, 'COMPLETE_BEFORE');
    assert.deepEqual(await read(), ['a', 'b', 'a', 'b']);
    // One that goes on with an interrupted feed makes it its own.
    appendFileSync(file, `${'z'.repeat(99)}\n`.repeat(30_000));
    for await (const _ of feedFile(log, file, options)) break;
    const third = { ...skip, completeBefore: await completeRuns(log, file, options) };
    assert.equal((await drain(feedFile(log, file, third))).began.code, 'RESUMED');
    assert.equal((await drain(feedFile(log, file, third))).began.code, 'COMPLETE_BEFORE');
  });

  test('a last line without LF is fed, and gone on behind', async () => {
    const { log, file, read } = await fresh(1);
    const more = { ...options, whenComplete: 'goOn' } as const;
    const lines: string[] = [];
    for (const [gained, line] of [
      ['a\nb', 'a'],
      ['\nc', 'b'],
      ['\r\nd', 'c'],
      ['', ''],
      ['\r', ''],
      ['\ne\r', 'd'],
      ['\n\nf\n', 'e\r'],
    ] as const) {
      appendFileSync(file, gained);
      const { complete, bytes } = await drain(feedFile(log, file, more));
      // The CR alone may be the end of the line that was fed, half-written.
      assert.deepEqual([complete, bytes], [true, readFileSync(file).length - (gained === '\r' ? 1 : 0)]);
      if (line !== '') lines.push(line);
    }
    assert.deepEqual(await read(), [...lines, '', 'f']);
  });

  test('a last line that was fed half is not gone on with, and what to do is said', async () => {
    const { log, file, read } = await fresh(2);
    const more = { ...options, whenComplete: 'goOn' } as const;
    writeFileSync(file, '{"user":1}\n{"us');
    await drain(feedFile(log, file, more));
    for (const gained of ['er":2}\n', '{"user":3}\n']) {
      appendFileSync(file, gained);
      await assert.rejects(drain(feedFile(log, file, more)), {
        code: 'FEED_LINE_GREW',
        message: /input-\d+ was fed to byte 15, and its line 2, .* topic in .*\(tail -n \+2\)/,
      });
    }
    assert.deepEqual(await read(), ['{"user":1}', '{"us']);
    assert.equal((await drain(feedFile(log, file, options))).began.code, 'AGAIN');
    assert.equal((await drain(feedFile(log, file, more))).began.code, 'RESUMED');
  });

  test('a file that was rewritten in place is not gone on with, however little of it there was at first', async () => {
    for (const first of ['', 'user,at\n']) {
      const { log, file, read } = await fresh(1);
      const more = { ...options, whenComplete: 'goOn' } as const;
      writeFileSync(file, first);
      await drain(feedFile(log, file, more));
      appendFileSync(file, 'a\nb\n');
      await drain(feedFile(log, file, more));
      const fed = await read();
      writeFileSync(file, `${first}c\nd\ne\n`);
      await assert.rejects(drain(feedFile(log, file, more)), { code: 'FEED_OTHER_FILE', message: /begins otherwise/ });
      writeFileSync(file, 'f');
      await assert.rejects(drain(feedFile(log, file, more)), { code: 'FEED_OTHER_FILE', message: /has only 1 bytes/ });
      assert.deepEqual(await read(), fed);
    }
  });

  test('of a file that grows while it is fed, all of the head counts', async () => {
    const { log, file, read } = await fresh(1);
    const more = { ...options, whenComplete: 'goOn' } as const;
    writeFileSync(file, 'a\n');
    for await (const { records } of feedFile(log, file, more)) if (records === 1) appendFileSync(file, 'b\n');
    writeFileSync(file, 'a\nc\nd\n');
    await assert.rejects(drain(feedFile(log, file, more)), { code: 'FEED_OTHER_FILE' });
    assert.deepEqual(await read(), ['a', 'b']);
  });

  test('a file that took the place of another: gone on with if it begins with all that was fed, else refused', async () => {
    const { log, file, read } = await fresh(1);
    const more = { ...options, whenComplete: 'goOn' } as const;
    const replace = (text: string): void => {
      writeFileSync(`${file}.new`, text);
      renameSync(`${file}.new`, file);
    };
    const lines = Array.from({ length: 30_000 }, (_, i) => `line ${i} ${'.'.repeat(80)}`);
    const text = `${lines.join('\n')}\n`;
    writeFileSync(file, text);
    for await (const _ of feedFile(log, file, more)) break;
    replace(text);
    const rest = await drain(feedFile(log, file, more));
    assert.deepEqual([rest.run, rest.began.code, rest.records], [1, 'RESUMED', lines.length]);
    replace(`${text}a`);
    assert.equal((await drain(feedFile(log, file, more))).records, lines.length + 1);
    replace(`${text}a\nb\n`);
    assert.equal((await drain(feedFile(log, file, more))).records, lines.length + 2);
    const other = text.replace('line 29000', 'line 2900O');
    replace(`${other}a\nb\nc\n`);
    await assert.rejects(drain(feedFile(log, file, more)), {
      code: 'FEED_OTHER_FILE',
      message:
        /input-\d+ is not the file .* \(30002 records\) .* topic in: another file took its place, .*\. Nothing was/,
    });
    assert.deepEqual(await read(), [...lines, 'a', 'b']);
    const again = await drain(feedFile(log, file, options));
    assert.deepEqual([again.run, again.began.code, again.records], [2, 'AGAIN', lines.length + 3]);
    appendFileSync(file, 'd\n');
    assert.equal((await drain(feedFile(log, file, more))).began.code, 'RESUMED');
  });

  test('what was fed by a version that kept no sum is gone on with, and summed then', async () => {
    const { log, file } = await fresh(1);
    const more = { ...options, whenComplete: 'goOn' } as const;
    writeFileSync(file, 'a\r\nb');
    await drain(feedFile(log, file, more));
    const [key] = log.tables.feeds.getKeys({ limit: 1 });
    const { value } = log.tables.feeds.getEntry(key!)!;
    const state = decodeFeedState(value);
    await log.env.exclusive(() => void log.tables.feeds.put(key!, encodeFeedState({ ...state, sum: null })));
    appendFileSync(file, '\r\nc\n');
    assert.equal((await drain(feedFile(log, file, more))).records, 3);
    log.env.refresh();
    assert.equal(decodeFeedState(log.tables.feeds.getEntry(key!)!.value).sum, crc32('a\r\nb\r\nc\n'));
  });

  test('another file of the same name is not gone on with', async () => {
    const { log, file } = await fresh(1);
    writeFileSync(file, 'a'.repeat(99).concat('\n').repeat(30_000));
    for await (const _ of feedFile(log, file, options)) break;
    writeFileSync(`${file}.new`, 'b'.repeat(99).concat('\n').repeat(30_000));
    renameSync(`${file}.new`, file);
    const last = await drain(feedFile(log, file, options));
    assert.deepEqual([last.run, last.began.code, last.records], [2, 'INTERRUPTED_BEFORE', 30_000]);
  });

  test('two feeds of one input: one gives up', async () => {
    const { log, file, read } = await fresh(1);
    writeFileSync(file, `${'z'.repeat(99)}\n`.repeat(30_000));
    const results = await Promise.allSettled([
      drain(feedFile(log, file, options)),
      drain(feedFile(log, file, options)),
    ]);
    assert.deepEqual(results.map((r) => r.status).sort(), ['fulfilled', 'rejected']);
    assert.equal((results.find((r) => r.status === 'rejected') as PromiseRejectedResult).reason.code, 'FEED_CONFLICT');
    assert.equal((await read()).length, 30_000);
  });

  test('a stream says that an earlier one was interrupted', async () => {
    const { log, read } = await fresh(1);
    async function* broken() {
      yield Buffer.from('a\nb\nhal');
      throw new Error('pipe broke');
    }
    async function* whole() {
      yield Buffer.from('a\nb\nha');
      yield Buffer.from('lf');
    }
    await assert.rejects(drain(feedStream(log, '-', broken(), options)), /pipe broke/);
    const last = await drain(feedStream(log, '-', whole(), options));
    assert.deepEqual(last.began, { code: 'INTERRUPTED_BEFORE', bytes: 4, records: 2 });
    assert.deepEqual([last.run, last.records, last.bytesTotal, last.complete], [2, 3, null, true]);
    assert.deepEqual(await read(), ['a', 'b', 'a', 'b', 'half']);
  });

  test('streams without a name feed one topic at once, and nothing is known of them afterwards', async () => {
    const { log, read } = await fresh(1);
    const streams = [new PassThrough(), new PassThrough()];
    const feeds = streams.map((stream) => feedStream(log, null, stream, options));
    for (const line of ['1', '2']) {
      for (const [i, stream] of streams.entries()) {
        stream.write(`${'ab'[i]}${line}\n`);
        await feeds[i]!.next();
      }
    }
    streams[0]!.end();
    const last = await drain(feeds[0]!);
    assert.deepEqual([last.run, last.records, last.complete], [1, 2, true]);
    await feeds[1]!.return(undefined);
    assert.deepEqual(await read(), ['a1', 'b1', 'a2', 'b2']);
    const next = await drain(feedStream(log, null, Readable.from([Buffer.from('c')]), options));
    assert.deepEqual([next.run, next.began.code], [1, 'FRESH']);
  });

  test('killed with -9 again and again, loses and repeats nothing', async () => {
    const { log, logPath, file, read } = await fresh(3);
    const lines = Array.from({ length: 120_000 }, (_, i) => `{"n":${i},"text":"${'t'.repeat(i % 97)}"}`);
    writeFileSync(file, lines.join('\n'));
    const start = (): ChildProcess =>
      fork(import.meta.filename, ['feed', logPath, file], { execArgv: ['--conditions=source'] });
    for (let kills = 0; kills < 4; kills++) {
      const child = start();
      const [progress] = (await once(child, 'message')) as [FeedProgress];
      if (kills > 0) assert.equal(progress.began.code, 'RESUMED');
      // At once, or a little into the next chunk.
      await new Promise((resolve) => setTimeout(resolve, kills));
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    const last = await drain(feedFile(log, file, options));
    assert.deepEqual([last.run, last.records, last.complete], [1, lines.length, true]);
    assert.deepEqual(await read(), lines);
  });

  test('a feed with headers is still read as plain values', async () => {
    const { log } = await fresh(1);
    await log.append('in', 0, [{ key: null, value: Buffer.from('v'), headers: { truncated: '1' } }]);
    const reader = await log.openReader('in', partitionOf((await log.describe('in'))!, 0), 0);
    assert.deepEqual(
      recordsOf((await reader.next(100, 0))!).map((r) => r.value),
      ['v'],
    );
  });
}
