import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type LogFields, type Logger, silentLogger } from '@holdfast/model';
import type { Timers } from '../ports/timers.ts';
import { awayAfterMs, ServiceWatch } from './service-watch.ts';

/** Time that passes by `pass`. */
function virtualTimers() {
  let nowMs = 0;
  const due: { atMs: number; fn: () => void }[] = [];
  const timers: Timers = {
    monotonicMs: () => nowMs,
    wallUnixMs: () => nowMs,
    setTimer: (delayMs, fn) => {
      const timer = { atMs: nowMs + delayMs, fn };
      due.push(timer);
      return () => {
        if (due.includes(timer)) due.splice(due.indexOf(timer), 1);
      };
    },
  };
  const pass = async (ms: number) => {
    for (const endMs = nowMs + ms; ; ) {
      await new Promise(setImmediate);
      const next = due.sort((a, b) => a.atMs - b.atMs)[0];
      if (next === undefined || next.atMs > endMs) {
        nowMs = endMs;
        return;
      }
      due.shift();
      nowMs = next.atMs;
      next.fn();
    }
  };
  return { timers, pass, due };
}

const answers = async () => null;

test('a service is away once it has not answered for its time, failing or silent, and is back with its first answer', async () => {
  const { timers, pass, due } = virtualTimers();
  let isThere = true;
  let asked = 0;
  const lines: [string, LogFields | undefined][] = [];
  const note = (text: string, fields?: LogFields) => void lines.push([text, fields]);
  const logger: Logger = { ...silentLogger, info: note, warn: note };
  const store = async () => {
    asked++;
    if (!isThere) throw new Error('connect ECONNREFUSED 127.0.0.1:6379');
  };
  const watch = new ServiceWatch({ log: answers, store }, timers, logger);
  await pass(60_000);
  assert.deepEqual(watch.report(), { log: { awayMs: null, why: null }, store: { awayMs: null, why: null } });
  assert.ok(watch.say().store.silentMs <= 2_000);
  assert.equal(watch.say().store.steadyMs, 60_000);
  assert.ok(asked >= 25 && asked <= 35, `asked ${asked} times`);
  isThere = false;
  await pass(awayAfterMs - 2_000);
  assert.equal(watch.report().store.awayMs, null, 'a short absence is ridden out');
  assert.equal(lines.length, 0);
  await pass(6_000);
  const { log, store: away } = watch.report();
  assert.equal(log.awayMs, null);
  assert.deepEqual(watch.say().store, { silentMs: away.awayMs, steadyMs: 0 });
  assert.ok(watch.isSteady(), 'nothing was lost for it');
  watch.sessionLost();
  assert.ok(!watch.isSteady());
  assert.ok(away.awayMs !== null && away.awayMs > awayAfterMs);
  assert.equal(away.why, 'connect ECONNREFUSED 127.0.0.1:6379');
  await pass(60_000);
  assert.deepEqual(
    lines.map(([text, fields]) => [text, fields?.service]),
    [['a service does not answer: this node is not ready', 'store']],
    'it is said once',
  );
  isThere = true;
  await pass(2_000);
  assert.equal(watch.report().store.awayMs, null);
  assert.equal(lines.at(-1)![0], 'answers again');
  assert.ok(!watch.isSteady(), 'it may come and go');
  await pass(17_000);
  assert.ok(watch.isSteady());
  watch.close();
  await pass(10_000);
  assert.equal(due.length, 0, 'nothing goes on after the end');
});

test('a question that is never answered is told while it waits, and is the only one', async () => {
  const { timers, pass } = virtualTimers();
  let asked = 0;
  const lines: string[] = [];
  const logger: Logger = { ...silentLogger, warn: (text) => void lines.push(text) };
  const log = () => {
    asked++;
    return new Promise(() => {});
  };
  const watch = new ServiceWatch({ log, store: answers }, timers, logger);
  await pass(awayAfterMs + 1);
  assert.deepEqual(watch.report().log, { awayMs: awayAfterMs + 1, why: null });
  await pass(600_000);
  assert.equal(asked, 1);
  assert.equal(lines.length, 1);
});
