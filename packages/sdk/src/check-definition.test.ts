import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { checkDefinition } from './check-definition.ts';
import { compileProcessor } from './compile-processor.ts';
import { defineProcessor } from './define-processor.ts';
import { DefinitionError } from './errors.ts';

const good = {
  name: 'job',
  version: '1',
  input: { logs: { topic: 'logs', schema: z.object({ user: z.string() }), key: (e: { user: string }) => e.user } },
  output: { alerts: { topic: 'alerts', key: (a: { user: string }) => a.user } },
  state: { version: 1, initial: () => ({ n: 0 }), idle: '1h' },
  params: z.object({ limit: z.number().default(4), names: z.array(z.string()).default([]) }),
  onEvent: { logs() {} },
};

const paths = (definition: unknown) => checkDefinition(definition).map((p) => `${p.path}: ${p.value}`);

test('a good definition has no problems, and problems are listed all at once', () => {
  assert.deepEqual(checkDefinition(good), []);
  const wrong = {
    ...good,
    name: 'Job 1',
    inptu: {},
    input: {
      ...good.input,
      more: { topic: 'logs', schema: 7, parse: () => 1 },
      row: { topic: 'a b', read: {}, key: () => '' },
    },
    state: {
      version: 4,
      initial: () => 5,
      idle: '1 hour',
      upgrade: { 1: () => 1, 3: () => 1, 9: () => 1 },
      undo: 'maybe',
    },
    // biome-ignore lint/suspicious/noThenProperty: a policy, not a promise
    onError: { then: 'dead-leter', retry: { times: -1 } },
    onEvent: { log() {} },
  };
  assert.throws(
    () => defineProcessor(wrong as never),
    (error: unknown) => {
      assert.ok(error instanceof DefinitionError);
      assert.deepEqual(
        error.problems.map((p) => p.path),
        [
          'inptu',
          'name',
          'input.more',
          'input.more.schema',
          'input.more.key',
          'input.row.topic',
          'input.row.read.newKeyLocator',
          'input.row.read.parse',
          'input.row.key',
          'input.more.topic',
          'state.initial()',
          'state.idle',
          'state.undo',
          'state.upgrade.9',
          'state.upgrade.2',
          'onEvent.log',
          'onEvent.logs',
          'onEvent.more',
          'onEvent.row',
          'onError.then',
          'onError.retry.times',
        ],
      );
      assert.match(error.message, /^processor 'Job 1' has 21 problems:\n/);
      assert.match(error.message, /inptu: unknown name; expected one of name, version.*; did you mean 'input'\?/);
      assert.match(error.message, /state\.idle: '1 hour'; expected a duration such as '30s', '10m', '1h30m' or '7d'/);
      assert.match(error.message, /onEvent\.log: unknown name; expected one of logs, more, row; did you mean 'logs'\?/);
      assert.match(error.message, /onError\.then: 'dead-leter'.*did you mean 'dead-letter'\?/);
      assert.match(error.message, /state\.upgrade\.2: missing; expected a step from version 2 to 3/);
      return true;
    },
  );
});

test('what comes later says so', () => {
  const later = {
    ...good,
    input: { logs: { ...good.input.logs, lateness: '30s' } },
    windows: {},
    timers: ['unmute'],
    joins: {},
    tables: {},
    scorers: {},
    onError: { retry: { times: 1, backoff: '1s' } },
  };
  assert.deepEqual(paths(later), [
    'windows: comes later',
    'timers: comes later',
    'joins: comes later',
    'tables: comes later',
    'scorers: comes later',
    'input.logs.lateness: comes later',
    'onError.retry.backoff: comes later',
  ]);
});

test('a first state that could not be stored is found at definition', () => {
  const withInitial = (initial: () => unknown, more = {}) =>
    paths({ ...good, state: { ...good.state, initial, ...more } });
  assert.deepEqual(
    withInitial(() => ({ at: [new Date(0)] })),
    ['state.initial().at[0]: an instance of Date: store Unix milliseconds'],
  );
  assert.deepEqual(
    withInitial(() => {
      throw new Error('no');
    }),
    ['state.initial(): threw Error: no'],
  );
  assert.deepEqual(
    withInitial(() => Promise.resolve({})),
    ['state.initial(): a promise'],
  );
  class Table {}
  const codec = { encode: () => new Uint8Array(), decode: () => new Table() };
  assert.deepEqual(
    withInitial(() => new Table(), { codec }),
    ["state.undo: 'copy', but state.initial() is an instance of Table: store its fields as a plain object"],
  );
  assert.deepEqual(
    withInitial(() => new Table(), { codec, undo: 'none' }),
    [],
  );
});

test('first states that share a part are found at definition', () => {
  const withInitial = (initial: () => unknown, more = {}) =>
    paths({ ...good, state: { ...good.state, initial, ...more } });
  const list: number[] = [];
  const bytes = new Uint8Array(1);
  const table = new Map();
  const shares: [() => unknown, string][] = [
    [() => list, ''],
    [() => ({ bytes }), '.bytes'],
    [() => ({ table: Object.freeze(table) }), '.table'],
    [() => ({ n: 0, list }), '.list'],
    [() => ({ by: new Map([['a', { list }]]) }), '.by value 0.list'],
    [() => [new Set([list])], '[0] member 0'],
    [() => ({ fixed: Object.freeze([{ deep: list }]) }), '.fixed[0].deep'],
  ];
  const noCopy = { codec: { encode: () => new Uint8Array(), decode: () => ({}) }, undo: 'none' };
  const always = Object.freeze({ names: Object.freeze(['a']) });
  class Table {
    readonly rows = table;
  }
  for (const [initial, at] of shares) {
    const problem = `state.initial()${at}: the same object at each call`;
    assert.deepEqual([withInitial(initial), withInitial(initial, noCopy)], [[problem], [problem]]);
  }
  assert.deepEqual(
    withInitial(() => ({ always, n: 0 })),
    [],
  );
  assert.deepEqual(
    withInitial(() => new Table(), noCopy),
    ['state.initial().rows: the same object at each call'],
  );
  let calls = 0;
  const once = () => {
    if (calls++ > 0) throw new Error('only once');
    return { n: 0 };
  };
  assert.deepEqual(withInitial(once), ['state.initial(): threw Error: only once at a second call']);
});

test('functions that have not ended when they return are found at definition', () => {
  const asyncOnes = {
    ...good,
    state: { ...good.state, initial: async () => ({ n: 0 }) },
    onEvent: { async logs() {} },
    query: { *all() {} },
    async *view() {},
  };
  assert.deepEqual(paths(asyncOnes), [
    'state.initial: an async function',
    'onEvent.logs: an async function',
    'query.all: a generator',
    'view: an async generator',
  ]);
});

test('params and topics are checked at start, all at once', () => {
  const processor = defineProcessor(good as never) as never;
  assert.throws(
    () =>
      compileProcessor(processor, {
        params: { limit: 'x', names: [1] },
        topics: { log: 'other', logs: 'bad topic' },
        outputTopics: { alerts: '..' },
      } as never),
    (error: unknown) => {
      assert.ok(error instanceof DefinitionError);
      assert.deepEqual(
        error.problems.map((p) => `${p.path}: ${p.value} ${p.nearest ?? ''}`),
        [
          'topics.log: unknown name logs',
          "topics.logs: 'bad topic' ",
          "outputTopics.alerts: '..' ",
          "params.limit: 'x' ",
          'params.names.0: 1 ',
        ],
      );
      return true;
    },
  );
  const job = compileProcessor(processor, { params: { limit: 9 }, topics: { logs: 'mine' } } as never);
  assert.deepEqual([job.inputs, job.outputs, job.params], [['mine'], ['alerts'], { limit: 9, names: [] }]);
  assert.ok(Object.isFrozen((job.params as { names: string[] }).names));
});
