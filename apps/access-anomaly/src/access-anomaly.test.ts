import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { testProcessor } from '@holdfast/sdk';
import { accessAnomaly } from './access-anomaly.ts';
import { LogGenerator } from './generator/log-generator.ts';
import { builtInMappings } from './mapping/built-in.ts';
import { compare } from './reference/compare.ts';
import { recount } from './reference/recount.ts';
import type { UserView } from './view.ts';

function linesOf(file: string): Buffer[] {
  const text = readFileSync(new URL(`../testdata/${file}`, import.meta.url), 'utf8');
  return text
    .trimEnd()
    .split('\n')
    .map((line) => Buffer.from(line));
}

/** Runs lines through the job, over three partitions, and gives what an export would hold. */
function run(mapping: string, lines: readonly Uint8Array[]) {
  const t = testProcessor(accessAnomaly({ mapping: builtInMappings.get(mapping)! }), { start: '2026-03-02T09:00:00Z' });
  const timestampUnixMs = t.now();
  const records = [];
  const users = new Set<string>();
  for (const [i, value] of lines.entries()) {
    const { key, partition, offset } = t.pipe.logs(value, { partition: i % 3 });
    records.push({ partition, offset, timestampUnixMs, value });
    if (key !== undefined) users.add(key);
  }
  const exported = [...users].map((user) => t.view(user) as UserView);
  return { t, exported, reference: recount(mapping, records) };
}

describe('real logs', () => {
  test('nginx: a user per client address', () => {
    const { t, exported, reference } = run('nginx', linesOf('access-nginx-200.jsonl'));
    assert.deepEqual(compare(exported, reference), { lost: 0, duplicates: 0, differences: [] });
    assert.equal(exported.length, 51);
    const one = exported.find((user) => user.user === '83.149.9.216')!;
    assert.deepEqual([one.events, one.successes, one.noLocation], [23, 23, 23]);
    assert.equal(one.recentLogins[0], '2015-05-17T10:05:59.000Z');
    assert.deepEqual(t.deadLetters, []);
  });

  test('ecs: sshd logins', () => {
    const { t, exported, reference } = run('ecs', linesOf('logins-ecs-200.jsonl'));
    assert.deepEqual(compare(exported, reference), { lost: 0, duplicates: 0, differences: [] });
    const skipped = t.skipped.filter((record) => record.reason === 'no_user').length;
    assert.deepEqual([skipped, exported.length], [10, 44]);
    assert.equal(
      exported.reduce((sum, user) => sum + user.events, 0),
      190,
    );
    const counts = (name: string): unknown => {
      const { events, successes, failures } = exported.find((user) => user.user === name)!;
      return { events, successes, failures };
    };
    assert.deepEqual(counts('ubuntu'), { events: 18, successes: 18, failures: 0 });
    assert.deepEqual(counts('admin'), { events: 35, successes: 0, failures: 35 });
  });
});

describe('generated logs', () => {
  const generator = new LogGenerator({
    seed: 3,
    users: 60,
    records: 1500,
    startUnixMs: Date.parse('2026-03-01T09:00:00Z'),
    anomalies: 6,
  });
  const lines: Uint8Array[] = [];
  for (let next = generator.next(); next !== null; next = generator.next()) lines.push(next.line);

  test('aggregates agree with the recount, planted anomalies come out, also after crashes', () => {
    const { t, exported, reference } = run('holdfast', lines);
    assert.deepEqual(compare(exported, reference), { lost: 0, duplicates: 0, differences: [] });
    const high = t.outputs.anomalies.filter((event) => event.level === 'high');
    assert.equal(high.length, generator.labels.length);
    const label = generator.labels[0]!;
    assert.equal(high[0]!.user, label.user);
    assert.equal(high[0]!.id, `access-anomaly/1/access-log/${label.index % 3}/${Math.floor(label.index / 3)}/0`);
    const before = t.outputs.anomalies.length;
    for (const { user } of exported.slice(0, 10)) {
      t.handover(user);
      t.crash(user, { replay: 50 });
      assert.deepEqual(
        t.view(user),
        exported.find((view) => view.user === user),
      );
    }
    assert.equal(t.outputs.anomalies.length, before);
  });
});

test('any name is a user; broken records are dead letters', () => {
  const t = testProcessor(accessAnomaly());
  for (const user of ['__proto__', 'constructor', 'toString', 'léa']) {
    t.pipe.logs({ user, time: '2026-01-01T00:00:00Z', outcome: 'success' });
    assert.equal((t.view(user) as UserView).events, 1);
    assert.equal((t.view(user) as UserView).user, user);
  }
  const reasons = (['{', '[]', '{"user":"\\ud800"}', Buffer.from([0xff])] as const).map(
    (value) => t.pipe.logs(Buffer.from(value)).reason,
  );
  assert.deepEqual(reasons, ['bad_json', 'not_object', 'bad_key', 'not_utf8']);
  assert.equal(t.pipe.logs(Buffer.from('\n')).reason, 'empty_line');
  assert.equal(t.pipe.logs({ user: '', time: '2026-01-01T00:00:00Z' }).reason, 'no_user');
});

test('emit: all tells every decision', () => {
  const t = testProcessor(accessAnomaly(), { params: { emit: 'all' } });
  t.pipe.logs({ user: 'lea', time: '2026-01-01T00:00:00Z', outcome: 'success' });
  t.pipe.logs({ user: 'lea', time: '2026-01-01T00:01:00Z', outcome: 'success' });
  assert.deepEqual(
    t.outputs.anomalies.map((event) => event.level),
    ['unscored', 'none'],
  );
  assert.equal((t.view('lea') as UserView).anomalies.total, 0);
});
