import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeUtf8 } from '@holdfast/model';
import { z } from 'zod';
import { compileProcessor } from './compile-processor.ts';
import { defineProcessor } from './define-processor.ts';
import { StateError } from './errors.ts';

interface State {
  n: number;
  more?: unknown;
}

const bytes = encodeUtf8('{"user":"alice"}');
const record = {
  topic: 'logs',
  partition: 0,
  offset: 0,
  timestampUnixMs: 1,
  bytes,
  valueStart: 0,
  valueEnd: bytes.length,
};

function jobOf(handler: (state: State) => unknown) {
  return compileProcessor(
    defineProcessor({
      name: 'spoiling',
      version: '1',
      input: { logs: { topic: 'logs', schema: z.object({ user: z.string() }), key: (e) => e.user } },
      state: { version: 1, initial: (): State => ({ n: 0 }), idle: '1h' },
      onEvent: { logs: (_e, ctx) => void handler(ctx.state) },
    }),
  );
}

test('a state that its handler has spoilt costs its user, not the process', () => {
  const apply = (handler: (state: State) => unknown, state: State) =>
    jobOf(handler).apply(state, bytes, record, { emit() {} });
  const freezing = (state: State) => {
    Object.freeze(state);
    throw new Error('midway');
  };
  assert.throws(() => apply(freezing, { n: 0 }), { name: 'StateError', message: /frozen/ });
  const getter = {
    n: 0,
    get more() {
      throw new Error('not now');
    },
  };
  assert.throws(
    () => apply(() => {}, getter),
    (error: unknown) => error instanceof StateError && error.message === 'state property 1: a getter or setter',
  );
});

test('what a handler returns is not looked into', () => {
  const job = compileProcessor(
    defineProcessor({
      name: 'giving',
      version: '1',
      input: { logs: { topic: 'logs', schema: z.object({ user: z.string() }), key: (e) => e.user } },
      state: { version: 1, initial: (): State => ({ n: 0 }), idle: '1h' },
      onEvent: {
        logs: () => ({
          // biome-ignore lint/suspicious/noThenProperty: that is what it is about
          get then() {
            throw new Error('never');
          },
        }),
      },
    }),
  );
  assert.equal(job.apply({ n: 0 }, bytes, record, { emit() {} }), 'applied');
});
