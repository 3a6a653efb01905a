import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { defineProcessor, testProcessor, z } from './index.ts';

const AccessLog = z.object({ user: z.string(), ip: z.string(), status: z.int(), ts: z.number() });
const Anomaly = z.object({ user: z.string(), kind: z.enum(['burst', 'new-ip']), score: z.number() });

/** Counts by minute in its own state; remembers addresses. */
const detector = defineProcessor({
  name: 'access-burst',
  version: '2',
  input: { logs: { topic: 'access-log', schema: AccessLog, key: (e) => e.user, time: (e) => e.ts } },
  output: { anomalies: { topic: 'anomalies', schema: Anomaly, key: (a) => a.user } },
  state: {
    version: 3,
    initial: () => ({ ips: [] as string[], minute: 0, count: 0, muted: false }),
    upgrade: { 2: (old) => ({ ...old, muted: false }) },
    idle: '7d',
  },
  params: z.object({ limit: z.number().default(40) }),
  onEvent: {
    logs(e, ctx) {
      const { state } = ctx;
      const minute = Math.floor(ctx.now / 60_000);
      if (minute !== state.minute) Object.assign(state, { minute, count: 0, muted: false });
      state.count++;
      if (!state.ips.includes(e.ip)) {
        state.ips = [e.ip, ...state.ips].slice(0, 32);
        ctx.emit.anomalies({ user: ctx.key, kind: 'new-ip', score: state.ips.length });
      }
      if (state.count > ctx.params.limit && !state.muted) {
        ctx.emit.anomalies({ user: ctx.key, kind: 'burst', score: state.count });
        state.muted = true;
      }
    },
  },
  query: { profile: (ctx) => ({ ips: ctx.state.ips.length }) },
});

test('a burst is reported once, through hand-over and crash', () => {
  const t = testProcessor(detector, { start: '2026-01-01T00:00:00Z', params: { limit: 30 } });
  const hit = (n: number) => {
    while (n--) t.pipe.logs({ user: 'alice', ip: '10.0.0.1', status: 200, ts: t.now() });
  };
  for (let m = 0; m < 40; m++) {
    hit(5 + (m % 3));
    t.advance('1m');
  }
  hit(100);
  t.handover('alice');
  t.crash('alice', { replay: 50 });
  hit(1);
  t.crash('alice', { replay: 50 });
  assert.deepEqual(
    t.outputs.anomalies.map((a) => a.kind),
    ['new-ip', 'burst'],
  );
  assert.equal(t.state('alice')?.muted, true);
  assert.equal(t.state('alice')?.count, 101);
  assert.equal(t.state('bob'), undefined);
  assert.deepEqual(t.query.profile('alice'), { ips: 1 });
  assert.deepEqual(t.sent[0], {
    output: 'anomalies',
    topic: 'anomalies',
    key: 'alice',
    id: 'access-burst/2/access-log/0/0/0',
    value: { user: 'alice', kind: 'new-ip', score: 1 },
  });
});

test('a crash before the backup repeats outputs with the same ids', () => {
  const t = testProcessor(detector, { params: { limit: 3 } });
  for (let i = 0; i < 5; i++)
    t.pipe.logs({ user: 'alice', ip: `10.0.0.${i}`, status: 200, ts: t.now() }, { partition: i % 2 });
  const before = t.state('alice');
  t.crash('alice', { replay: 3 });
  assert.deepEqual(t.state('alice'), before);
  assert.equal(t.outputs.anomalies.length, 6);
  assert.equal(t.sent.length, 12);
});

test('random hand-overs, backups, crashes and pauses change nothing', () => {
  const step = fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({
        do: fc.constant('hit' as const),
        user: fc.constantFrom('a', 'b'),
        ip: fc.nat(5),
        partition: fc.nat(2),
      }),
    },
    fc.record({ do: fc.constant('crash' as const), user: fc.constantFrom('a', 'b'), replay: fc.nat(5) }),
    fc.record({ do: fc.constantFrom('handover' as const, 'backup' as const), user: fc.constantFrom('a', 'b') }),
    fc.record({ do: fc.constant('advance' as const), by: fc.constantFrom('1s', '1m', '8d') }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const t = testProcessor(detector, { params: { limit: 2 } });
      const calm = testProcessor(detector, { params: { limit: 2 } });
      const met = new Set<string>();
      for (const it of steps) {
        if (it.do === 'advance') for (const each of [t, calm]) each.advance(it.by);
        else if (it.do === 'hit') {
          met.add(it.user);
          const log = { user: it.user, ip: `${it.ip}`, status: 200, ts: t.now() };
          for (const each of [t, calm]) each.pipe.logs(log, { partition: it.partition });
        } else if (met.has(it.user)) {
          if (it.do === 'crash') t.crash(it.user, { replay: it.replay });
          else t[it.do](it.user);
        }
      }
      for (const user of ['a', 'b']) assert.deepStrictEqual(t.state(user), calm.state(user));
      assert.deepEqual(t.outputs.anomalies, calm.outputs.anomalies);
    }),
    { numRuns: 100 },
  );
});

const counter = (body: (n: number, state: { n: number; x?: unknown }) => void, state: { undo?: 'none' } = {}) =>
  testProcessor(
    defineProcessor({
      name: 'counter',
      version: '1',
      input: {
        hits: { topic: 'hits', schema: z.object({ k: z.string().nullable(), n: z.number() }), key: (e) => e.k },
      },
      output: { seen: { topic: 'seen', key: (v: { n: unknown }) => `${v.n}` } },
      state: { version: 1, initial: (): { n: number; x?: unknown } => ({ n: 0 }), idle: '1h', ...state },
      onEvent: {
        hits(e, ctx) {
          body(e.n, ctx.state);
          ctx.emit.seen({ n: ctx.state.x });
        },
      },
    }),
  );

test('dead letters and skipped records are listed with reasons, once', () => {
  const t = counter((n) => {
    if (n === 13) throw new Error('unlucky');
  });
  assert.equal(t.pipe.hits({ k: 'a', n: 13 }).verdict, 'dead');
  assert.deepEqual(t.pipe.hits(Uint8Array.of(1, 2)).reason, 'not-json');
  assert.equal(t.pipe.hits({ k: null, n: 1 }).reason, 'no-key');
  assert.equal(t.pipe.hits(null).reason, 'no-value');
  assert.equal(t.pipe.hits({ k: 'a', n: 1 }, { key: 'b' }).key, 'b');
  t.crash('a', { replay: 10 });
  assert.deepEqual(
    t.deadLetters.map((d) => [d.offset, d.reason, d.detail]),
    [
      [0, 'handler-error', 'Error: unlucky'],
      [1, 'not-json', ''],
    ],
  );
  assert.deepEqual(
    t.skipped.map((d) => [d.offset, d.reason]),
    [
      [2, 'no-key'],
      [3, 'no-value'],
    ],
  );
});

test('forbidden calls throw, naming what to use, even when the handler catches them', () => {
  const cases: [() => unknown, RegExp][] = [
    [() => Date.now(), /Date\.now is forbidden.*use ctx\.now/],
    [() => new Date(), /new Date\(\) is forbidden.*new Date\(ctx\.now\)/],
    [() => Date(), /Date\(\)/],
    [() => Math.random(), /Math\.random.*ctx\.random\(\)/],
    [() => crypto.randomUUID(), /randomUUID.*ctx\.id\(\)/],
    [() => performance.now(), /performance\.now.*ctx\.now/],
    [() => setTimeout(() => {}, 1), /setTimeout.*timers come later/],
    [() => fetch('http://127.0.0.1'), /fetch.*table, lookup or scorer/],
    [() => process.env.HOME, /process\.env.*ctx\.params/],
  ];
  for (const [call, message] of cases) {
    const t = counter(() => {
      try {
        call();
      } catch {}
    });
    assert.throws(() => t.pipe.hits({ k: 'a', n: 1 }), { code: 'FORBIDDEN_CALL', message });
    assert.ok(Date.now() > 0 && Math.random() >= 0 && process.pid > 0 && new Date() instanceof Date);
  }
  const t = counter((n, state) => {
    state.x = [new Date(n).getUTCHours(), new Date(0) instanceof Date, Date.UTC(2026, 0)];
  });
  t.pipe.hits({ k: 'a', n: 3_600_000 });
  assert.deepEqual(t.state('a')?.x, [1, true, 1767225600000]);
});

test('a state that is no plain data fails at the first record', () => {
  const t = counter((n, state) => {
    state.x = [{ at: new Date(n) }];
  });
  assert.throws(() => t.pipe.hits({ k: 'a', n: 1 }), /hits\/0@0 left state\.x\[0\]\.at as an instance of Date/);
});

test('a state that reaches an object by two ways fails at the first record', () => {
  const t = counter((n, state) => {
    const part = { n };
    state.x = { last: part, list: [part] };
  });
  const text = /hits\/0@0 left state\.x\.list\[0\] as the same object as state\.x\.last, of which a copy/;
  assert.throws(() => t.pipe.hits({ k: 'a', n: 1 }), text);
});

test("a broken promise of undo 'none' is found", () => {
  const late = counter(
    (_n, state) => {
      state.n++;
      throw new Error('late');
    },
    { undo: 'none' },
  );
  assert.throws(() => late.pipe.hits({ k: 'a', n: 1 }), /throws only before it changes the state/);
  const early = counter(
    (n, state) => {
      if (n < 0) throw new Error('early');
      state.n++;
    },
    { undo: 'none' },
  );
  assert.equal(early.pipe.hits({ k: 'a', n: -1 }).verdict, 'dead');
});

test('a handler with a memory of its own is found by a crash', () => {
  let calls = 0;
  const t = counter((_n, state) => {
    state.x = ++calls;
  });
  t.pipe.hits({ k: 'a', n: 1 });
  assert.throws(
    () => t.crash('a'),
    /another record under the id counter\/1\/hits\/0\/0\/0: the handler is not deterministic/,
  );
});

test('idle keys are released and come back as they were', () => {
  const t = counter((n, state) => {
    state.n += n;
  });
  t.pipe.hits({ k: 'a', n: 5 });
  t.advance('2h');
  t.pipe.hits({ k: 'a', n: 1 });
  assert.equal(t.state('a')?.n, 6);
  assert.throws(() => t.backup('z'), /no record has reached key 'z'/);
});

test('a query cannot change the state', () => {
  const t = testProcessor(
    defineProcessor({
      name: 'q',
      version: '1',
      input: { hits: { topic: 'hits', schema: z.object({ k: z.string() }), key: (e) => e.k } },
      state: { version: 1, initial: () => ({ list: [1], map: new Map([['a', 1]]) }), idle: '1h' },
      onEvent: { hits() {} },
      query: {
        list: (ctx) => (ctx.state.list as number[]).push(2),
        map: (ctx) => (ctx.state.map as Map<string, number>).set('b', 1),
      },
    }),
  );
  t.pipe.hits({ k: 'a' });
  assert.throws(() => t.query.list('a'), TypeError);
  assert.throws(() => t.query.map('a'), /cannot change it/);
  assert.equal(t.query.map('b'), undefined);
});

test('a view that would change the state fails', () => {
  const t = testProcessor(
    defineProcessor({
      name: 'v',
      version: '1',
      input: { hits: { topic: 'hits', schema: z.object({ k: z.string() }), key: (e) => e.k } },
      state: { version: 1, initial: () => ({ list: [1, 2], map: new Map([['a', 1]]) }), idle: '1h' },
      onEvent: { hits() {} },
      view: ({ list, map }, key) =>
        key === 'a' ? list.sort((a, b) => b - a) : key === 'b' ? map.clear() : list.length,
    }),
  );
  for (const k of ['a', 'b', 'c']) t.pipe.hits({ k });
  assert.throws(() => t.view('a'), TypeError);
  assert.throws(() => t.view('b'), /cannot change it/);
  assert.equal(t.view('c'), 2);
});
