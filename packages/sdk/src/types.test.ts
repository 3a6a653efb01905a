import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { defineProcessor } from './define-processor.ts';
import type { RecordReader } from './record-reader.ts';
import { skip } from './record-reader.ts';

/** Compiles only when the two are the same type: `any` is not. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const same = <A, B>(_: Same<A, B>): void => {};

const Log = z.object({ user: z.string(), status: z.int(), ts: z.number().optional() });
const Anomaly = z.object({ user: z.string(), kind: z.enum(['burst', 'new-ip']), score: z.number() });
const reader: RecordReader<{ who: string; bytes: number }> = {
  newKeyLocator() {
    throw new Error('not called here');
  },
  parse: () => ({ skip: 'never' }),
};

const full = () =>
  defineProcessor({
    name: 'types',
    version: '1',
    input: {
      logs: { topic: 'a', schema: Log, key: (e) => e.user, time: (e) => e.ts ?? 0 },
      rows: {
        topic: 'b',
        parse: (bytes: Uint8Array, start: number) => (bytes[start] === 0 ? skip('zero') : { n: 1 }),
        key: (e) => `${e.n}`,
      },
      fast: { topic: 'c', read: reader, time: (e) => e.bytes },
    },
    output: {
      anomalies: { topic: 'out', schema: Anomaly, key: (a) => a.user },
      plain: { topic: 'p', key: (a: { x: number }) => `${a.x}` },
    },
    state: {
      version: 2,
      initial: () => ({ ips: [] as string[], seen: new Map<string, number>(), muted: false }),
      upgrade: { 1: (old) => ({ ...old, muted: false }) },
      idle: '7d',
    },
    params: z.object({ limit: z.number().default(4) }),
    onEvent: {
      logs(e, ctx) {
        same<typeof e, { user: string; status: number; ts?: number | undefined }>(true);
        same<typeof ctx.state, { ips: string[]; seen: Map<string, number>; muted: boolean }>(true);
        same<typeof ctx.params, { limit: number }>(true);
        ctx.emit.anomalies({ user: ctx.key, kind: 'burst', score: ctx.params.limit });
        // @ts-expect-error no such kind
        ctx.emit.anomalies({ user: ctx.key, kind: 'flood', score: 1 });
        // @ts-expect-error no such output
        ctx.emit.alerts({});
        ctx.emit.plain({ x: 1 });
        // @ts-expect-error wrong field type
        ctx.emit.plain({ x: '1' });
        // @ts-expect-error no such field
        e.city;
        // @ts-expect-error the state is changed in place
        ctx.state = { ips: [], seen: new Map(), muted: true };
      },
      rows(e) {
        same<typeof e, { n: number }>(true);
      },
      fast() {},
    },
    query: {
      ips: (ctx) => {
        same<typeof ctx.params, { limit: number }>(true);
        // @ts-expect-error queries read
        ctx.state.muted = true;
        // @ts-expect-error queries read
        ctx.state.ips.push('x');
        return ctx.state.ips.length;
      },
      none: () => null,
    },
    view: (state, key) => {
      same<typeof key, string>(true);
      same<typeof state.ips, string[]>(true);
      return { key, ips: state.ips };
    },
  });

test('types come from the literal', () => {
  type D = ReturnType<typeof full>['definition'];
  same<ReturnType<NonNullable<D['query']>['ips']>, number>(true);
  assert.equal(typeof full, 'function');
});

test('handlers without parameters leave the records typed', () => {
  defineProcessor({
    name: 'types',
    version: '1',
    input: { logs: { topic: 'a', schema: Log, key: (e) => e.user } },
    state: { version: 1, initial: () => ({ n: 0 }), idle: '1h' },
    onEvent: {
      logs() {},
    },
  });
});

test('without outputs and params there is nothing to emit and nothing to read', () => {
  defineProcessor({
    name: 'types',
    version: '1',
    input: { logs: { topic: 'a', schema: Log, key: (e) => e.user } },
    state: { version: 1, initial: () => ({ n: 0 }), idle: '1h' },
    onEvent: {
      logs(_e, ctx) {
        same<keyof typeof ctx.emit, never>(true);
        // @ts-expect-error no params
        ctx.params.limit;
        // @ts-expect-error no outputs
        ctx.emit.anomalies;
        ctx.state.n++;
      },
    },
  });
});

test('what does not fit is refused by the compiler', () => {
  const never = () => {
    defineProcessor({
      name: 'types',
      version: '1',
      input: { logs: { topic: 'a', schema: Log, key: (e) => e.user } },
      state: { version: 1, initial: () => ({ n: 0 }), idle: '1h' },
      // @ts-expect-error a handler for each input
      onEvent: {},
    });
    defineProcessor({
      name: 'types',
      version: '1',
      // @ts-expect-error a key is a text or bytes
      input: { logs: { topic: 'a', schema: Log, key: (e) => e.status } },
      state: { version: 1, initial: () => ({ n: 0 }), idle: '1h' },
      onEvent: { logs() {} },
    });
    defineProcessor({
      name: 'types',
      version: '1',
      input: { logs: { topic: 'a', schema: Log, key: (e) => e.user } },
      state: { version: 1, initial: () => ({ n: 0 }), idle: '1h' },
      onEvent: { logs() {} },
      // @ts-expect-error windows come later
      windows: {},
    });
  };
  assert.equal(typeof never, 'function');
});
