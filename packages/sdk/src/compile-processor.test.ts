import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeUtf8 } from '@holdfast/model';
import { type JobRecord, type KeyLocator, StopWantedError } from '@holdfast/processor';
import fc from 'fast-check';
import { z } from 'zod';
import { cloneState } from './clone-state.ts';
import { compileProcessor } from './compile-processor.ts';
import { defineProcessor } from './define-processor.ts';
import type { HandlerContext } from './handler-context.ts';
import { type ReadResult, skip } from './record-reader.ts';

type State = { n: number; tags: string[]; by: Map<string, { hits: number }> };
type Ctx = HandlerContext<State, { alerts: { user: string; n: number } }, Record<never, never>>;
const Log = z.object({ user: z.string().nullable(), n: z.number() });
type Event = z.infer<typeof Log>;

const jobWith = (handler: (e: Event, ctx: Ctx) => void, onError = {}, state = {}) =>
  compileProcessor(
    defineProcessor({
      name: 'job',
      version: '7',
      input: { logs: { topic: 'logs', schema: Log, key: (e) => e.user, time: (e) => e.n } },
      output: {
        alerts: { topic: 'alerts', schema: z.object({ user: z.string(), n: z.number() }), key: (a) => a.user },
      },
      state: {
        version: 1,
        initial: (): State => ({ n: 0, tags: [], by: new Map() }),
        idle: '2h',
        ...state,
      },
      onEvent: { logs: handler },
      onError,
    }),
  );

const record = (value: unknown, more: Partial<JobRecord> = {}): JobRecord => {
  const bytes =
    value instanceof Uint8Array ? value : encodeUtf8(typeof value === 'string' ? value : JSON.stringify(value));
  const at = { topic: 'logs', partition: 3, offset: 42, timestampUnixMs: 1000 };
  return { ...at, bytes, valueStart: 0, valueEnd: bytes.length, ...more };
};
const sink = () => {
  const sent: string[] = [];
  const emit = (topic: string, key: Uint8Array | null, value: Uint8Array, id: string) => {
    sent.push(`${topic} ${key && Buffer.from(key)} ${Buffer.from(value)} ${id}`);
  };
  return { sent, emit };
};
const alice = encodeUtf8('alice');

test('a record is parsed, handled, and its emits published with ids of its position', () => {
  const ids: string[] = [];
  const job = jobWith((e, ctx) => {
    ctx.state.n += e.n;
    for (const n of [1, 2]) {
      ids.push(ctx.id());
      ctx.emit.alerts({ user: ctx.key, n, extra: 1 } as never);
    }
    ids.push(ctx.id('note'));
    assert.deepEqual([ctx.now, ctx.topic, ctx.partition, ctx.offset, ctx.epoch], [5, 'logs', 3, 42, 12]);
    assert.equal(ctx.keyBytes, alice);
  });
  job.leaseEpoch = 12;
  const state = job.initialState(alice);
  const out = sink();
  assert.equal(job.apply(state, alice, record({ user: 'alice', n: 5 }), out), 'applied');
  assert.equal(state.n, 5);
  assert.deepEqual(out.sent, [
    'alerts alice {"user":"alice","n":1} job/7/logs/3/42/0',
    'alerts alice {"user":"alice","n":2} job/7/logs/3/42/1',
  ]);
  assert.deepEqual(ids, ['job/7/logs/3/42/0', 'job/7/logs/3/42/1', 'job/7/logs/3/42/note']);
  assert.equal(job.idleMs, 7_200_000);
});

test('what cannot be parsed is a dead letter with a reason, the same at the ingest and at the holder', () => {
  const job = jobWith(() => assert.fail('not called'));
  const deep = `{"user":"a","n":${'['.repeat(64)}${']'.repeat(64)}}`;
  const cases: [unknown, string, string][] = [
    ['{"user":', 'not-json', ''],
    [Uint8Array.of(0x22, 0xff, 0x22), 'not-utf8', ''],
    [deep, 'too-deep', ''],
    [`{"user":"a","n":1,"x":"${'x'.repeat(1 << 20)}"}`, 'too-large', ''],
    [{ user: 'a', n: 'many' }, 'schema', 'n: invalid_type'],
    ['', 'not-json', ''],
  ];
  const locator = job.newKeyLocator('logs');
  for (const [value, reason, detail] of cases) {
    const it = record(value);
    const state = job.initialState(alice);
    assert.equal(job.apply(state, alice, it, sink()), 'dead');
    assert.deepEqual([job.failureReason, job.failureDetail], [reason, detail]);
    assert.equal(locator.locate(it.bytes, it.valueStart, it.valueEnd), 2);
    assert.equal(locator.reason, reason);
  }
  assert.equal(job.apply(job.initialState(alice), alice, record('', { valueStart: -1 }), sink()), 'skipped');
  assert.equal(job.failureReason, 'no-value');
});

test('brackets inside texts are no depth', () => {
  const job = jobWith(() => {});
  const text = JSON.stringify({ user: `\\"${'[{'.repeat(100)}"`, n: 1 });
  assert.equal(job.apply(job.initialState(alice), alice, record(text), sink()), 'applied');
});

test('the key is found by parsing; none is a skip, one that is no text a dead letter', () => {
  const locator = jobWith(() => {}).newKeyLocator('logs');
  const locate = (text: string) => {
    const bytes = encodeUtf8(`xx${text}yy`);
    return locator.locate(bytes, 2, bytes.length - 2);
  };
  assert.equal(locate('{"user":"zoë","n":1}'), 0);
  assert.equal(Buffer.from(locator.keyBytes.subarray(locator.keyStart, locator.keyEnd)).toString(), 'zoë');
  for (const [text, outcome, reason] of [
    ['{"user":null,"n":1}', 1, 'no-key'],
    ['{"user":"","n":1}', 1, 'no-key'],
    ['{"user":"\\ud800","n":1}', 2, 'key-not-text'],
    [`{"user":"${'k'.repeat(1025)}","n":1}`, 2, 'key-too-long'],
  ] as const) {
    assert.equal(locate(text), outcome, text);
    assert.equal(locator.reason, reason);
  }
});

test('a handler that throws midway leaves state and emits untouched', () => {
  const spoil = fc.constantFrom<(s: State) => void>(
    (s) => s.tags.push('x'),
    (s) => (s.n = -1),
    (s) => s.by.set('new', { hits: 1 }),
    (s) => s.by.clear(),
    (s) => {
      for (const entry of s.by.values()) entry.hits++;
    },
    (s) => Reflect.deleteProperty(s, 'n'),
    (s) => Object.assign(s, { added: [1] }),
    (s) => (s.tags = []),
  );
  const states = fc.record({
    n: fc.double(),
    tags: fc.array(fc.string()),
    by: fc.array(fc.tuple(fc.string(), fc.record({ hits: fc.nat() }))).map((entries) => new Map(entries)),
  });
  fc.assert(
    fc.property(states, fc.array(spoil, { minLength: 1, maxLength: 6 }), fc.nat(2), (state, steps, times) => {
      let attempts = 0;
      const job = jobWith(
        (_e, ctx) => {
          attempts++;
          assert.deepStrictEqual(ctx.state, before, 'each attempt begins with the same state');
          ctx.emit.alerts({ user: 'a', n: 1 });
          for (const step of steps) step(ctx.state);
          throw new Error('midway');
        },
        { retry: { times } },
      );
      const before = cloneState(state);
      const out = sink();
      assert.equal(job.apply(state, alice, record({ user: 'a', n: 1 }), out), 'dead');
      assert.deepStrictEqual(state, before);
      assert.deepEqual(Object.keys(state), Object.keys(before));
      assert.deepEqual(out.sent, []);
      assert.equal(attempts, times + 1);
      assert.equal(job.failureReason, 'handler-error');
      assert.match(String(job.failureError), /midway/);
    }),
    { numRuns: 200 },
  );
});

test('retries see a fresh event, the same random numbers, and only the last attempt emits', () => {
  const seen: number[][] = [];
  const job = jobWith(
    (e, ctx) => {
      seen.push([e.n, ctx.random(), ctx.random()]);
      e.n = 99;
      ctx.emit.alerts({ user: 'a', n: seen.length });
      if (seen.length < 3) throw new Error('again');
    },
    { retry: { times: 2 } },
  );
  const out = sink();
  assert.equal(job.apply(job.initialState(alice), alice, record({ user: 'a', n: 4 }), out), 'applied');
  assert.deepEqual(seen[1], seen[0]);
  assert.deepEqual(seen[2], seen[0]);
  assert.notEqual(seen[0]![1], seen[0]![2]);
  assert.deepEqual(out.sent, ['alerts a {"user":"a","n":3} job/7/logs/3/42/0']);
});

test('the end of the retries is a dead letter, a skip, or the end of the job', () => {
  const fail = () => {
    throw new Error('broken');
  };
  const run = (onError: object) => {
    const job = jobWith(fail, onError);
    return job.apply(job.initialState(alice), alice, record({ user: 'a', n: 4 }), sink());
  };
  assert.equal(run({}), 'dead');
  const last = (what: string) => Object.fromEntries([['then', what]]);
  assert.equal(run(last('skip')), 'skipped');
  assert.throws(() => run(last('stop')), StopWantedError);
  assert.throws(() => run(last('stop')), {
    code: 'HANDLER_STOP',
    message: /^job 'job' stops at logs\/3@42: the handler of 'logs' threw Error: broken$/,
  });
});

test('what is thrown need not have a text', () => {
  const thrown = Object.create(null) as object;
  const job = jobWith(() => {
    throw thrown;
  });
  const state = job.initialState(alice);
  assert.equal(job.apply(state, alice, record({ user: 'a', n: 4 }), sink()), 'dead');
  assert.deepEqual([job.failureReason, job.failureDetail], ['handler-error', 'something that has no text']);
  assert.equal(job.failureError, thrown);
  const parsing = compileProcessor(
    defineProcessor({
      name: 'rows',
      version: '1',
      input: {
        rows: {
          topic: 'rows',
          parse: (_bytes: Uint8Array): { user: string } => {
            throw thrown;
          },
          key: (e) => e.user,
        },
      },
      state: { version: 1, initial: () => ({ n: 0 }), idle: '1h' },
      onEvent: { rows() {} },
    }),
  );
  assert.equal(parsing.apply({ n: 0 }, alice, record('x', { topic: 'rows' }), sink()), 'dead');
  assert.equal(parsing.failureReason, 'parse-error');
  assert.equal(parsing.newKeyLocator('rows').locate(encodeUtf8('x'), 0, 1), 2);
});

test('a handler that gives a promise is refused at the first record', () => {
  const job = jobWith((_e, ctx) => {
    ctx.state.n++;
    ctx.emit.alerts({ user: 'a', n: 1 });
    return Promise.reject(new Error('unheard')) as never;
  });
  const state = job.initialState(alice);
  const out = sink();
  assert.throws(() => job.apply(state, alice, record({ user: 'a', n: 4 }), out), {
    code: 'ASYNC_HANDLER',
    message: /async handlers come later/,
  });
  assert.equal(state.n, 0);
  assert.deepEqual(out.sent, []);
});

test('misuse of ctx is an error of the handler, with a reason', () => {
  let kept: Ctx | undefined;
  const error = (handler: (ctx: Ctx) => void, key = alice) => {
    const job = jobWith((_e, ctx) => handler(ctx));
    job.apply(job.initialState(key), key, record({ user: 'a', n: 4 }), sink());
    return job.failureDetail;
  };
  assert.match(
    error((ctx) => Object.assign(ctx, { state: 1 })),
    /ctx\.state is changed in place/,
  );
  assert.match(
    error((ctx) => ctx.emit.alerts({ user: 'a' } as never)),
    /emit\.alerts: n: invalid_type/,
  );
  assert.match(
    error((ctx) => {
      for (let i = 0; i < 1001; i++) ctx.emit.alerts({ user: 'a', n: 1 });
    }),
    /more than 1000 emits/,
  );
  assert.match(
    error((ctx) => ctx.key, Uint8Array.of(0xff)),
    /not UTF-8: use ctx\.keyBytes/,
  );
  error((ctx) => {
    kept = ctx;
  });
  assert.throws(() => kept!.emit.alerts({ user: 'a', n: 1 }), /after its handler had returned/);
  assert.equal(kept!.state, undefined);
});

test('bytes of an output are its own, and nothing but bytes', () => {
  const buffer = new Uint8Array(8);
  const bytesOf = (n: number) => buffer.fill(n).subarray(0, 2);
  const jobOf = (encode: (n: number) => Uint8Array) =>
    compileProcessor(
      defineProcessor({
        name: 'job',
        version: '1',
        input: { logs: { topic: 'logs', schema: Log, key: (e) => e.user } },
        output: { numbers: { topic: 'numbers', encode, key: bytesOf } },
        state: { version: 1, initial: () => ({ n: 0 }), idle: '1h' },
        onEvent: {
          logs(e, ctx) {
            ctx.state.n++;
            ctx.emit.numbers(e.n);
            ctx.emit.numbers(e.n + 1);
          },
        },
      }),
    );
  const sent: [Uint8Array, Uint8Array][] = [];
  const out = { emit: (_topic: string, key: Uint8Array | null, value: Uint8Array) => void sent.push([key!, value]) };
  const job = jobOf(bytesOf);
  for (const n of [1, 3]) job.apply({ n: 0 }, alice, record({ user: 'a', n }), out);
  assert.deepEqual(
    sent.map(([key, value]) => [...key, ...value]),
    [1, 2, 3, 4].map((n) => [n, n, n, n]),
  );
  for (const wrong of [() => 'text', () => [1, 2], () => undefined]) {
    const broken = jobOf(wrong as never);
    const state = { n: 0 };
    assert.equal(broken.apply(state, alice, record({ user: 'a', n: 1 }), out), 'dead');
    assert.match(broken.failureDetail, /output\.numbers\.encode gave no Uint8Array/);
    assert.deepEqual([state.n, sent.length], [0, 4]);
  }
});

test('hand-written parse and reader', () => {
  const read = {
    newKeyLocator: (): KeyLocator => ({
      keyBytes: new Uint8Array(0),
      keyStart: 0,
      keyEnd: 0,
      reason: 'short',
      locate(bytes, start, end) {
        this.keyBytes = bytes;
        this.keyStart = start;
        this.keyEnd = start + 1;
        return end - start < 2 ? 2 : 0;
      },
    }),
    parse: (it: JobRecord): ReadResult<number> => {
      const b = it.bytes[it.valueStart + 1]!;
      if (b === 0) return { skip: 'zero' };
      if (b === 1) return { dead: 'one' };
      if (b === 2) throw new Error('two');
      return { value: b };
    },
  };
  const job = compileProcessor(
    defineProcessor({
      name: 'rows',
      version: '1',
      input: {
        fast: { topic: 'fast', read, time: (e) => (e === 9 ? Number.NaN : e) },
        slow: {
          topic: 'slow',
          parse: (bytes: Uint8Array, start: number) => (bytes[start] === 0 ? skip('zero') : { first: bytes[start]! }),
          key: (e) => Uint8Array.of(e.first),
        },
      },
      state: { version: 1, initial: () => ({ sum: 0, at: 0 }), idle: '1h' },
      onEvent: {
        fast(e, ctx) {
          ctx.state.sum += e;
          ctx.state.at = ctx.now;
        },
        slow(e, ctx) {
          ctx.state.sum += e.first;
          ctx.state.at = ctx.now;
        },
      },
      query: { sum: (ctx) => ctx.state.sum, key: (ctx) => ctx.key },
      view: (state, key) => ({ key, sum: state.sum }),
    }),
  );
  const state = job.initialState(alice);
  const apply = (topic: string, ...bytes: number[]) => {
    const verdict = job.apply(state, alice, record(Uint8Array.from(bytes), { topic }), sink());
    return verdict === 'applied' ? verdict : `${verdict} ${job.failureReason}`;
  };
  assert.equal(apply('fast', 7, 5), 'applied');
  assert.deepEqual(state, { sum: 5, at: 5 });
  assert.equal(apply('fast', 7, 0), 'skipped zero');
  assert.equal(apply('fast', 7, 1), 'dead one');
  assert.equal(apply('fast', 7, 2), 'dead parse-error');
  assert.equal(apply('fast', 7, 9), 'dead no-time');
  assert.equal(apply('slow', 4), 'applied');
  assert.deepEqual(state, { sum: 9, at: 1000 });
  assert.equal(apply('slow', 0), 'skipped zero');
  assert.equal(job.newKeyLocator('fast').locate(Uint8Array.of(7, 5), 0, 2), 0);
  const locator = job.newKeyLocator('slow');
  assert.equal(locator.locate(Uint8Array.of(8), 0, 1), 0);
  assert.deepEqual(locator.keyBytes, Uint8Array.of(8));
  assert.deepEqual(job.view(state, alice), { key: 'alice', sum: 9 });
  assert.deepEqual(job.view(state, Uint8Array.of(255)), { key: '0xff', sum: 9 });
  assert.deepEqual([job.queries, job.query('sum', state, alice)], [['sum', 'key'], 9]);
  assert.throws(() => job.query('toString', state, alice), /no query 'toString'/);
  assert.throws(() => apply('other', 1), /no input topic 'other'/);
});
