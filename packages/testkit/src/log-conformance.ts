import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, describe, test } from 'node:test';
import { type Log, LogError, type LogErrorCode, type NewRecord, type TopicInfo } from '@holdfast/engine';
import { topicId } from '@holdfast/model';
import { bytesMax, partitionOf, readRecords, recordsOf, textRecords, waitMs } from './log-records.ts';

/** How the suite makes what it tests. Each `open` is another process's view of one and the same log. */
export interface LogHarness {
  open(): Promise<Log>;
  deleteTopic(topic: string): Promise<void>;
  /** Creates a topic of one partition that takes records of about so many bytes at most; null: this log takes any. */
  readonly createLimited: ((topic: string, recordBytesMax: number) => Promise<TopicInfo>) | null;
  /** Whether a commit with a lower fence than seen is refused; a log that can't check says false. */
  readonly fencesCommits: boolean;
  /** The suite is over; what it opened is closed already. */
  close?(): Promise<void>;
}

function fails(code: LogErrorCode): (error: unknown) => boolean {
  return (error) => error instanceof LogError && error.code === code;
}

/** Checks that what `Log` promises is kept. Registers node:test tests. */
export function logConformance(name: string, makeHarness: () => Promise<LogHarness>): void {
  describe(`log: ${name}`, () => {
    const making = makeHarness();
    const opened: Log[] = [];
    // A log that outlives the suite may be used by another run.
    const run = randomUUID().slice(0, 8);
    let topics = 0;
    async function open(): Promise<Log> {
      const log = await (await making).open();
      opened.push(log);
      return log;
    }
    async function fresh(partitions = 2): Promise<{ log: Log; name: string; topic: TopicInfo }> {
      const log = await open();
      const name = `topic-${run}-${++topics}`;
      return { log, name, topic: await log.createTopic(name, partitions) };
    }
    after(async () => {
      for (const log of opened) await log.close();
      await (await making).close?.();
    });

    test('a topic is created once, whoever asks', async () => {
      const { log, name, topic } = await fresh(3);
      const other = await open();
      assert.equal(topic.partitions, 3);
      assert.deepEqual(await other.describe(name), topic);
      assert.deepEqual(await other.createTopic(name, 7), topic);
      const together = `together-${run}`;
      const both = await Promise.all([log.createTopic(together, 2), other.createTopic(together, 2)]);
      assert.deepEqual(both[0], both[1]);
      assert.equal(await log.describe('no-such-topic'), null);
    });

    test('gives records back as they were appended, nulls and empties told apart', async () => {
      const { log, name, topic } = await fresh();
      const bytes = (text: string) => new TextEncoder().encode(text);
      const written: NewRecord[] = [
        { key: bytes('k'), value: bytes('v') },
        { key: null, value: bytes('') },
        { key: bytes(''), value: null },
        { key: bytes('with headers'), value: bytes('ü'), headers: { a: 'b' } },
        { key: null, value: null },
        { key: bytes('two'), value: bytes('v'), headers: { reason: 'bad_json', 'header.ü': '' } },
        { key: null, value: null, headers: { x: 'y' } },
      ];
      const first = await log.append(name, 1, written);
      assert.equal(first, 0);
      const reader = await log.openReader(name, partitionOf(topic, 1), 0);
      const read = await readRecords(reader, written.length);
      assert.deepEqual(
        read.map(({ key, value }) => [key, value]),
        [
          ['k', 'v'],
          [null, ''],
          ['', null],
          ['with headers', 'ü'],
          [null, null],
          ['two', 'v'],
          [null, null],
        ],
      );
      assert.deepEqual(
        read.map(({ headers }) => headers),
        written.map(({ headers }) => headers ?? {}),
      );
      assert.ok(read.every((r) => Number.isNaN(r.timestampUnixMs) || r.timestampUnixMs > 0));
      assert.equal(await reader.next(bytesMax, 0), null);
    });

    test('answers the first offset, and the end is what the next record gets', async () => {
      const { log, name } = await fresh(2);
      const first = await log.append(name, 0, textRecords(['a', 'b', 'c']));
      const [end, otherEnd] = await log.endOffsets(name);
      assert.ok(end! >= first + 3);
      assert.equal(otherEnd, 0);
      assert.equal(await log.append(name, 0, textRecords(['d'])), end);
    });

    test('tells where reading begins: at the first records, the end, a time', async () => {
      const { log, name, topic } = await fresh(2);
      assert.deepEqual(await log.offsetsAt(name, 'earliest'), [0, 0]);
      assert.deepEqual(await log.offsetsAt(name, { timestampUnixMs: 0 }), [0, 0]);
      await log.append(name, 0, textRecords(['a', 'b']));
      const [first] = await readRecords(await log.openReader(name, partitionOf(topic, 0), 0), 2);
      const { timestampUnixMs } = first!;
      // The next append has a later time.
      while (Date.now() <= timestampUnixMs) await new Promise((resolve) => setTimeout(resolve, 1));
      const later = await log.append(name, 0, textRecords(['c']));
      const end = await log.endOffsets(name);
      assert.deepEqual(await log.offsetsAt(name, 'earliest'), [0, 0]);
      assert.deepEqual(await log.offsetsAt(name, 'latest'), end);
      assert.deepEqual(await log.offsetsAt(name, { timestampUnixMs }), [0, 0]);
      assert.deepEqual(await log.offsetsAt(name, { timestampUnixMs: timestampUnixMs + 1 }), [later, 0]);
      assert.deepEqual(await log.offsetsAt(name, { timestampUnixMs: 8e15 }), end);
      for (const position of ['earliest', 'latest', { timestampUnixMs }, { timestampUnixMs: 8e15 }] as const) {
        const all = await log.offsetsAt(name, position);
        assert.deepEqual(await log.offsetsAt(name, position, [1, 0]), [all[1], all[0]]);
        assert.deepEqual(await log.offsetsAt(name, position, [0]), [all[0]]);
        await assert.rejects(log.offsetsAt(name, position, [2]), fails('UNKNOWN_TOPIC'));
      }
      await assert.rejects(log.offsetsAt('no-such-topic', 'earliest'), fails('UNKNOWN_TOPIC'));
    });

    test('reads from the middle, in pieces of any size, each record once and in order', async () => {
      const { log, name, topic } = await fresh(1);
      const texts = Array.from({ length: 500 }, (_, i) => `${i}:${'x'.repeat((i * 37) % 200)}`);
      for (let at = 0; at < texts.length; at += 125) await log.append(name, 0, textRecords(texts.slice(at, at + 125)));
      const whole = await readRecords(await log.openReader(name, partitionOf(topic, 0), 0), texts.length);
      assert.deepEqual(
        whole.map((r) => r.value),
        texts,
      );
      for (const [from, pieceBytes] of [
        [0, 1],
        [1, 300],
        [124, 5_000],
        [125, 1 << 20],
        [333, 777],
        [499, 1],
      ] as const) {
        const reader = await log.openReader(name, partitionOf(topic, 0), whole[from]!.offset);
        assert.deepEqual(await readRecords(reader, texts.length - from, pieceBytes), whole.slice(from));
        await reader.close();
      }
    });

    test('keeps batches to about the bytes asked for', async () => {
      const { log, name, topic } = await fresh(1);
      await log.append(name, 0, textRecords(Array.from({ length: 100 }, () => 'y'.repeat(1_000))));
      const reader = await log.openReader(name, partitionOf(topic, 0), 0);
      for (let seen = 0; seen < 100; ) {
        const batch = await reader.next(10_000, waitMs);
        assert.ok(batch !== null && batch.count <= 12, `${batch?.count} records of 1,000 bytes`);
        seen += batch.count;
      }
    });

    test('carries large appends and large records whole', async () => {
      const { log, name, topic } = await fresh(1);
      const texts = Array.from({ length: 20_000 }, (_, i) => `record ${i} ${'z'.repeat(40)}`);
      texts[777] = 'L'.repeat(3 << 20);
      await log.append(name, 0, textRecords(texts));
      const read = await readRecords(await log.openReader(name, partitionOf(topic, 0), 0), texts.length);
      assert.deepEqual(
        read.map((r) => r.value),
        texts,
      );
    });

    test('refuses a record that is too large, with all before it durable and none behind it', async () => {
      const { createLimited } = await making;
      if (createLimited === null) return;
      const log = await open();
      const name = `limited-${run}`;
      const topic = await createLimited(name, 10_000);
      // Too much for one batch together, each small enough alone.
      const [before, behind] = [1, 2].map((part) => Array.from({ length: 30 }, (_, i) => `${part}-${i}`.padEnd(4_000)));
      const texts = [...before!, 'L'.repeat(20_000), ...behind!];
      const refusal = (appended: number) => (error: unknown) =>
        error instanceof LogError &&
        error.code === 'RECORD_TOO_LARGE' &&
        error.appended === appended &&
        error.message.includes(`${name}/0`);
      await assert.rejects(log.append(name, 0, textRecords(texts)), refusal(before!.length));
      await assert.rejects(log.append(name, 0, textRecords(texts.slice(before!.length))), refusal(0));
      await log.append(name, 0, textRecords(behind!));
      const read = await readRecords(await log.openReader(name, partitionOf(topic, 0), 0), texts.length - 1);
      assert.deepEqual(
        read.map((r) => r.value),
        [...before!, ...behind!],
      );
      // Together with others that wait: only its own append fails.
      const [first, refused, last] = await Promise.allSettled([
        log.append(name, 0, textRecords(['a', 'b'])),
        log.append(name, 0, textRecords(['c', 'L'.repeat(20_000), 'not this'])),
        log.append(name, 0, textRecords(['d'])),
      ]);
      assert.deepEqual([first!.status, last!.status], ['fulfilled', 'fulfilled']);
      assert.ok(refused!.status === 'rejected' && refusal(1)(refused.reason));
      const next = await readRecords(await log.openReader(name, partitionOf(topic, 0), texts.length - 1), 4);
      assert.deepEqual(
        next.map((r) => r.value),
        ['a', 'b', 'c', 'd'],
      );
    });

    test('a waiting reader gets what another process appends', async () => {
      const { log, name, topic } = await fresh(1);
      const other = await open();
      const reader = await log.openReader(name, partitionOf(topic, 0), 0);
      const beganMs = performance.now();
      const waiting = reader.next(bytesMax, waitMs);
      await other.append(name, 0, textRecords(['hello']));
      const batch = await waiting;
      assert.ok(performance.now() - beganMs < waitMs / 2, 'as it comes, not when the wait ends');
      assert.deepEqual(
        recordsOf(batch!).map((r) => r.value),
        ['hello'],
      );
    });

    test('a closed reader stops waiting', async () => {
      const { log, name, topic } = await fresh(1);
      const reader = await log.openReader(name, partitionOf(topic, 0), 0);
      const waiting = reader.next(bytesMax, waitMs);
      await reader.close();
      assert.equal(await waiting, null);
    });

    test('concurrent appends of several processes neither lose, repeat nor reorder', async () => {
      const { name, topic } = await fresh(1);
      const logs = await Promise.all([open(), open(), open()]);
      const rounds = 20;
      const offsets = await Promise.all(
        logs.map(async (log, who) => {
          const mine: number[] = [];
          for (let i = 0; i < rounds; i++)
            mine.push(await log.append(name, 0, textRecords([`${who}:${i}a`, `${who}:${i}b`])));
          return mine;
        }),
      );
      const read = await readRecords(
        await logs[0]!.openReader(name, partitionOf(topic, 0), 0),
        logs.length * rounds * 2,
      );
      logs.forEach((_, who) => {
        const mine = read.filter((r) => r.value!.startsWith(`${who}:`));
        const expected = Array.from({ length: rounds }, (_, i) => [`${who}:${i}a`, `${who}:${i}b`]).flat();
        assert.deepEqual(
          mine.map((r) => r.value),
          expected,
        );
        assert.deepEqual(
          mine.filter((r) => r.value!.endsWith('a')).map((r) => r.offset),
          offsets[who],
        );
      });
    });

    test('appends made together keep their order', async () => {
      const { log, name, topic } = await fresh(1);
      const offsets = await Promise.all(
        Array.from({ length: 50 }, (_, i) => log.append(name, 0, textRecords([`${i}`]))),
      );
      assert.deepEqual(
        offsets,
        [...offsets].sort((a, b) => a - b),
      );
      const read = await readRecords(await log.openReader(name, partitionOf(topic, 0), 0), 50);
      assert.deepEqual(
        read.map((r) => r.value),
        Array.from({ length: 50 }, (_, i) => `${i}`),
      );
    });

    test('keeps committed offsets apart by group and partition, with their generation', async () => {
      const { log, topic } = await fresh(2);
      const [a, b] = [partitionOf(topic, 0), partitionOf(topic, 1)];
      assert.equal(await log.committed('job', a), null);
      const commits = [
        { partition: a, offset: 10, generationId: 'life-1', fence: 5 },
        { partition: b, offset: 20, generationId: 'life-1', fence: 6 },
      ];
      assert.deepEqual(await log.commit('job', commits), ['ok', 'ok']);
      const other = await open();
      assert.deepEqual(await other.committed('job', a), { offset: 10, generationId: 'life-1' });
      assert.deepEqual(await other.committed('job', b), { offset: 20, generationId: 'life-1' });
      assert.equal(await other.committed('another job', a), null);
      assert.equal(await other.committed('job', { topicId: topicId('another topic'), partition: 0 }), null);
      assert.deepEqual(await other.commit('job', [{ partition: a, offset: 3, generationId: 'life-2', fence: 5 }]), [
        'ok',
      ]);
      assert.deepEqual(await log.committed('job', a), { offset: 3, generationId: 'life-2' });
    });

    test('refuses the commit of an older holder, or says that it takes any', async () => {
      const { log, topic } = await fresh(2);
      const [a, b] = [partitionOf(topic, 0), partitionOf(topic, 1)];
      assert.deepEqual(await log.commit('job', [{ partition: a, offset: 10, generationId: 'life-1', fence: 9 }]), [
        'ok',
      ]);
      const late = [
        { partition: a, offset: 99, generationId: 'life-1', fence: 8 },
        { partition: b, offset: 1, generationId: 'life-1', fence: 8 },
      ];
      const { fencesCommits } = await making;
      assert.deepEqual(await (await open()).commit('job', late), [fencesCommits ? 'fenced' : 'ok', 'ok']);
      if (!fencesCommits)
        return assert.deepEqual(await log.committed('job', a), { offset: 99, generationId: 'life-1' });
      assert.deepEqual(await log.committed('job', a), { offset: 10, generationId: 'life-1' });
      assert.deepEqual(await log.commit('job', [{ partition: a, offset: 4, generationId: 'life-1', fence: 10 }]), [
        'ok',
      ]);
      assert.deepEqual(await log.committed('job', a), { offset: 4, generationId: 'life-1' });
    });

    test('tells the highest fence of its commits, where it checks any', async () => {
      const { log, topic } = await fresh(2);
      const before = await log.highestFence();
      const commit = (group: string, partition: number, fence: number) =>
        log.commit(group, [{ partition: partitionOf(topic, partition), offset: 1, generationId: 'life-1', fence }]);
      const { fencesCommits } = await making;
      assert.deepEqual(await commit('a job', 1, before + 2 ** 33), ['ok']);
      assert.deepEqual(await commit('another job', 0, before + 7), ['ok']);
      assert.equal(await (await open()).highestFence(), fencesCommits ? before + 2 ** 33 : 0);
    });

    test('commits what is there, whatever else is gone', async () => {
      const [one, two] = [await fresh(1), await fresh(1)];
      const { log } = one;
      const both = (offset: number) =>
        [two, one].map(({ topic }) => ({ partition: partitionOf(topic, 0), offset, generationId: 'life-1', fence: 1 }));
      const committed = () => log.committed('job', partitionOf(one.topic, 0));
      assert.deepEqual(await log.commit('job', both(1)), ['ok', 'ok']);
      await (await making).deleteTopic(two.name);
      assert.deepEqual(await log.commit('job', both(2)), ['gone', 'ok']);
      assert.deepEqual(await committed(), { offset: 2, generationId: 'life-1' });
      // Who has not known it before it was deleted.
      assert.deepEqual(await (await open()).commit('job', both(3)), ['gone', 'ok']);
      assert.deepEqual(await committed(), { offset: 3, generationId: 'life-1' });
      const again = await (await open()).createTopic(two.name, 1);
      assert.equal(await log.committed('job', partitionOf(again, 0)), null);
      assert.deepEqual(await log.commit('job', both(4)), ['gone', 'ok']);
      assert.equal(await log.committed('job', partitionOf(again, 0)), null);
      const [, { partition, ...rest }] = both(5) as [unknown, ReturnType<typeof both>[0]];
      const beyond = { ...rest, partition: { ...partition, partition: 7 } };
      assert.deepEqual(await log.commit('job', [beyond]), ['gone']);
    });

    test('says what is wrong', async () => {
      const { log, name, topic } = await fresh(1);
      await assert.rejects(log.append('no-such-topic', 0, textRecords(['x'])), fails('UNKNOWN_TOPIC'));
      await assert.rejects(log.append(name, 1, textRecords(['x'])), fails('UNKNOWN_TOPIC'));
      await assert.rejects(log.endOffsets('no-such-topic'), fails('UNKNOWN_TOPIC'));
      const read = async (from: number) =>
        (await log.openReader(name, partitionOf(topic, 0), from)).next(bytesMax, waitMs);
      await assert.rejects(read(5), fails('OFFSET_OUT_OF_RANGE'));
      await assert.rejects(read(-1), fails('OFFSET_OUT_OF_RANGE'));
      const closed = await open();
      await closed.close();
      await assert.rejects(closed.append(name, 0, textRecords(['x'])), fails('LOG_CLOSED'));
    });

    test('a recreated topic is another one', async () => {
      const { log, name, topic } = await fresh(1);
      await log.append(name, 0, textRecords(['old']));
      const reader = await log.openReader(name, partitionOf(topic, 0), 0);
      await readRecords(reader, 1);
      await (await making).deleteTopic(name);
      await assert.rejects(reader.next(bytesMax, waitMs), fails('TOPIC_CHANGED'));
      await assert.rejects(log.append(name, 0, textRecords(['x'])), fails('UNKNOWN_TOPIC'));
      const again = await log.createTopic(name, 1);
      assert.notEqual(again.topicId, topic.topicId);
      await assert.rejects(reader.next(bytesMax, waitMs), fails('TOPIC_CHANGED'));
      assert.equal(await log.append(name, 0, textRecords(['new'])), 0);
      const read = await readRecords(await log.openReader(name, partitionOf(again, 0), 0), 1);
      assert.equal(read[0]!.value, 'new');
    });
  });
}
