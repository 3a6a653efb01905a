import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StopSignal } from './interrupt.ts';

test('a signal that arrives twice asks once; a later one asks for haste', (t) => {
  let nowMs = 5_000;
  t.mock.method(performance, 'now', () => nowMs);
  const signal = new StopSignal([]);
  const asked: string[] = [];
  signal.listen({ first: () => asked.push('first'), again: () => asked.push('again') });
  for (const atMs of [5_000, 5_010, 5_800, 5_801]) {
    nowMs = atMs;
    signal.raise();
  }
  assert.deepEqual(asked, ['first', 'again']);
});

test('what is no signal asks for a stop, and never for haste', (t) => {
  let nowMs = 5_000;
  t.mock.method(performance, 'now', () => nowMs);
  const signal = new StopSignal([]);
  const asked: string[] = [];
  signal.listen({ first: () => asked.push('first'), again: () => asked.push('again') });
  for (const atMs of [5_000, 7_000]) {
    nowMs = atMs;
    signal.ask();
  }
  assert.deepEqual(asked, ['first']);
});

test('only the named signals ask', async () => {
  const signal = new StopSignal(['SIGCONT']);
  const counts = () => [process.listenerCount('SIGCONT'), process.listenerCount('SIGHUP')];
  const before = counts();
  try {
    signal.listen({ first: () => assert.fail('replaced') });
    const asked = new Promise<void>((first) => signal.listen({ first }));
    assert.deepEqual(counts(), [before[0]! + 1, before[1]]);
    process.kill(process.pid, 'SIGCONT');
    await asked;
  } finally {
    signal.close();
  }
  assert.deepEqual(counts(), before);
});
