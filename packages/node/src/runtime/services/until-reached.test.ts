import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test } from 'node:test';
import { silentLogger } from '@holdfast/model';
import { ServiceError } from './service-error.ts';
import { type Reached, type ServiceEnvironment, untilReached } from './until-reached.ts';

const what = { name: 'Kafka at k:1', code: 'LOG_UNREACHABLE', deadlineMs: 10_000 } as const;

/** Time that passes only by waiting. */
function virtual(given: Partial<ServiceEnvironment> = {}): ServiceEnvironment & { readonly told: (string | null)[] } {
  let nowMs = 0;
  const told: (string | null)[] = [];
  const timers = {
    monotonicMs: () => nowMs,
    wallUnixMs: () => nowMs,
    setTimer: (delayMs: number, fn: () => void) => {
      nowMs += delayMs;
      queueMicrotask(fn);
      return () => undefined;
    },
  };
  return { timers, logger: silentLogger, onWaiting: (text) => told.push(text), told, ...given };
}

interface Closable {
  close(): void;
}
const there: Closable = { close: () => undefined };

function afterTries(tries: number): () => Promise<Reached<Closable>> {
  let left = tries;
  return async () => (left-- > 0 ? { why: 'refused' } : { service: there });
}

test('waits with growing pauses, tells what for, and tells when it is over', async () => {
  const environment = virtual();
  assert.equal(await untilReached(environment, what, afterTries(3)), there);
  assert.equal(environment.timers.monotonicMs(), 200 + 400 + 800);
  assert.deepEqual(environment.told, [...Array(3).fill('Kafka at k:1: refused'), null]);
});

test('gives up after its time, not before, with the last reason', async () => {
  const environment = virtual();
  await assert.rejects(untilReached(environment, what, afterTries(Number.POSITIVE_INFINITY)), (error: unknown) => {
    assert.ok(error instanceof ServiceError && error.code === 'LOG_UNREACHABLE');
    assert.equal(error.message, 'Kafka at k:1 is not reached after 10 s and 7 tries: refused');
    return true;
  });
  assert.equal(environment.timers.monotonicMs(), 10_000);
});

test('who is patient waits beyond it', async () => {
  const environment = virtual({ isPatient: true });
  assert.equal(await untilReached(environment, what, afterTries(100)), there);
  assert.ok(environment.timers.monotonicMs() > 400_000);
});

test('who is patient waits for a service that refuses it, too: credentials may be changed meanwhile', async () => {
  const reached = afterTries(3);
  let tries = 0;
  const attempt = async (): Promise<Reached<Closable>> => {
    if (tries++ === 0) throw new ServiceError('STORE_DENIED', 'wrong password');
    return reached();
  };
  assert.equal(await untilReached(virtual({ isPatient: true }), what, attempt), there);
  const broken = untilReached(virtual({ isPatient: true }), what, () => Promise.reject(new TypeError('a bug')));
  await assert.rejects(broken, TypeError);
});

test('a stop ends the waiting; what can not pass ends it at once', async () => {
  const controller = new AbortController();
  const attempt = async (): Promise<Reached<Closable>> => {
    controller.abort();
    return { why: 'refused' };
  };
  const stopped = untilReached(virtual({ stop: controller.signal }), what, attempt);
  await assert.rejects(stopped, { code: 'START_INTERRUPTED' });
  const denied = new ServiceError('LOG_DENIED', 'wrong password');
  await assert.rejects(
    untilReached(virtual(), what, async () => {
      throw denied;
    }),
    denied,
  );
});

test('a stop ends a try that hangs, and what that reaches later is closed', async () => {
  const controller = new AbortController();
  let reach: (reached: Reached<Closable>) => void = () => assert.fail('not tried');
  const attempt = () =>
    new Promise<Reached<Closable>>((resolve) => {
      reach = resolve;
    });
  const waiting = untilReached(virtual({ stop: controller.signal }), what, attempt);
  controller.abort();
  await assert.rejects(waiting, { code: 'START_INTERRUPTED' });
  await new Promise<void>((close) => reach({ service: { close } }));
});

test('a waiting of many tries listens for its stop once, and no longer than it lasts', async () => {
  const { signal } = new AbortController();
  const listening = () => getEventListeners(signal, 'abort').length;
  let most = 0;
  const reached = afterTries(100);
  await untilReached(virtual({ stop: signal, isPatient: true }), what, () => {
    most = Math.max(most, listening());
    return reached();
  });
  assert.deepEqual([most, listening()], [1, 0]);
});
