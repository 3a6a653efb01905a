import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type HostAnswer, HostNames } from './host-names.ts';

/** Names whose lookups end when the test says so. */
function scene() {
  const pending: { readonly host: string; resolve(found: string[]): void; reject(error: Error): void }[] = [];
  const timers: { readonly dueMs: number; readonly fn: () => void }[] = [];
  let nowMs = 5_000;
  const names = new HostNames(
    (host) => new Promise<string[]>((resolve, reject) => pending.push({ host, resolve, reject })),
    {
      monotonicMs: () => nowMs,
      setTimer(delayMs, fn) {
        timers.push({ dueMs: nowMs + delayMs, fn });
        return () => {};
      },
    },
  );
  const pass = (ms: number) => {
    nowMs += ms;
    for (const timer of timers.splice(0)) timer.dueMs <= nowMs ? timer.fn() : timers.push(timer);
  };
  const answer = (host: string) => new Promise<HostAnswer>((resolve) => names.onAnswer(host, resolve));
  return { names, pending, answer, pass };
}

test('a name has one lookup under way, whose answer all get', async () => {
  const { names, pending, answer } = scene();
  const answers = [answer('a'), answer('a')];
  for (let i = 0; i < 10; i++) names.seek('a');
  names.seek('b');
  assert.deepEqual(
    pending.map(({ host }) => host),
    ['a', 'b'],
  );
  assert.deepEqual(names.addressesOf('a'), []);
  pending[0]!.resolve(['10.0.0.1', '10.0.0.2']);
  for (const got of answers) assert.deepEqual(await got, { addresses: ['10.0.0.1', '10.0.0.2'], problem: null });
  assert.deepEqual(names.addressesOf('a'), ['10.0.0.1', '10.0.0.2']);
});

test('the last good answer serves on when lookups fail, which say why', async () => {
  const { names, pending, answer, pass } = scene();
  const first = answer('a');
  names.seek('a');
  pending[0]!.reject(Object.assign(new Error('getaddrinfo'), { code: 'ENOTFOUND' }));
  assert.deepEqual(await first, { addresses: [], problem: "a can't be looked up: ENOTFOUND" });
  const ends = [
    { end: () => pending[1]!.resolve(['10.0.0.1']), problem: null },
    { end: () => pending[2]!.reject(new Error('no server')), problem: "a can't be looked up: Error: no server" },
    { end: () => pending[3]!.resolve([]), problem: "a can't be looked up: no address" },
  ];
  for (const { end, problem } of ends) {
    const next = answer('a');
    const count = pending.length;
    names.seek('a');
    names.seek('a');
    pass(999);
    assert.equal(pending.length, count, 'at most one lookup a second');
    pass(1);
    assert.equal(pending.length, count + 1);
    end();
    assert.deepEqual(await next, { addresses: ['10.0.0.1'], problem });
    assert.deepEqual(names.addressesOf('a'), ['10.0.0.1']);
  }
});

test('names that were looked up long ago are forgotten', async () => {
  const { names, pending, answer } = scene();
  for (let i = 0; i < 1_100; i++) {
    const got = answer(`n${i}`);
    names.seek(`n${i}`);
    pending[i]!.resolve(['10.0.0.1']);
    await got;
  }
  assert.deepEqual(names.addressesOf('n0'), []);
  assert.deepEqual(names.addressesOf('n1099'), ['10.0.0.1']);
});
