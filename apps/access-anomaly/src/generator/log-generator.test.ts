import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { UserState } from '../aggregate/user-state.ts';
import { initialUserState } from '../aggregate/user-state.ts';
import { GateScorer } from '../decide/gate-scorer.ts';
import { handleLogin } from '../decide/handle-login.ts';
import { builtInMappings } from '../mapping/built-in.ts';
import { Normaliser } from '../mapping/normalise.ts';
import { type GeneratorOptions, LogGenerator } from './log-generator.ts';

const options: GeneratorOptions = {
  seed: 7,
  users: 1000,
  records: 40_000,
  startUnixMs: Date.parse('2026-03-02T09:00:00Z'),
  anomalies: 40,
};

function linesOf(generator: LogGenerator): Buffer {
  const chunks: Buffer[] = [];
  const buffer = new Uint8Array(64 * 1024);
  for (let size = 0; (size = generator.fill(buffer)) > 0; ) chunks.push(Buffer.from(buffer.subarray(0, size)));
  return Buffer.concat(chunks);
}

describe('generated logs', () => {
  test('the same seed gives the same bytes, however they are taken', () => {
    const bytes = linesOf(new LogGenerator({ ...options, records: 2000 }));
    const single = new LogGenerator({ ...options, records: 2000 });
    const lines: string[] = [];
    for (let next = single.next(); next !== null; next = single.next()) {
      const text = Buffer.from(next.line).toString();
      assert.equal(JSON.parse(text).user, next.user);
      lines.push(`${text}\n`);
    }
    assert.equal(lines.join(''), bytes.toString());
    assert.notEqual(linesOf(new LogGenerator({ ...options, records: 2000, seed: 8 })).toString(), bytes.toString());
  });

  test('every planted anomaly is found, and nothing else is high', () => {
    const generator = new LogGenerator(options);
    const lines = linesOf(generator).toString().trimEnd().split('\n');
    assert.equal(lines.length, options.records);
    assert.equal(generator.labels.length, options.anomalies);
    const normaliser = new Normaliser(builtInMappings.get('holdfast')!);
    const users = new Map<string, UserState>();
    const scorer = new GateScorer();
    const high: number[] = [];
    const counts = { success: 0, failure: 0, unknown: 0 };
    lines.forEach((line, index) => {
      const login = normaliser.normalise(JSON.parse(line), Number.NaN);
      assert.ok('user' in login);
      counts[login.outcome]++;
      let state = users.get(login.user);
      if (state === undefined) users.set(login.user, (state = initialUserState()));
      const event = handleLogin(state, login, { partition: 0, offset: index }, String(index), scorer);
      if (event?.level === 'high') high.push(index);
    });
    assert.deepEqual(
      high,
      generator.labels.map((label) => label.index),
    );
    for (const label of generator.labels) {
      const record = JSON.parse(lines[label.index]!);
      assert.deepEqual([record.user, record.city], [label.user, label.city]);
    }
    assert.ok(Math.abs(counts.failure / lines.length - 0.22) < 0.01);
    assert.equal(counts.unknown, 0);
    const sizes = [...users.values()].map((state) => state.events).sort((a, b) => a - b);
    assert.ok(sizes.at(-1)! > 10 * sizes[Math.floor(sizes.length / 2)]!, 'few users are busy');
    assert.ok([...users.values()].some((state) => state.locations.city.length > 2));
  });

  test('time goes on at the mean step, also where that is a part of a millisecond', () => {
    for (const stepMs of [0.02, 0.1, 0.4, 1]) {
      const generator = new LogGenerator({ ...options, records: 20_000, stepMs, anomalies: 0 });
      const lines = linesOf(generator).toString().trimEnd().split('\n');
      const tookMs = Date.parse(JSON.parse(lines.at(-1)!).time) - options.startUnixMs;
      assert.ok(Math.abs(tookMs / (20_000 * stepMs) - 1) < 0.05, `${tookMs} ms at ${stepMs} ms a record`);
    }
  });

  test('a log without end goes on', () => {
    const { records, ...endless } = options;
    const generator = new LogGenerator({ ...endless, users: 50 });
    const buffer = new Uint8Array(1 << 20);
    for (let i = 0; i < 5; i++) assert.ok(generator.fill(buffer) > 1_000_000);
  });
});
