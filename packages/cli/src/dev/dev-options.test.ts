import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CliError } from '../cli-error.ts';
import { type DevFlags, planDev } from './dev-options.ts';
import { isExact, reasonsOf, renderSummary } from './summary.ts';

const plan = (flags: Partial<DevFlags>) => planDev({ output: 'text', ...flags }, '/');
const refusal = (exit: number, text: RegExp) => (error: unknown) =>
  error instanceof CliError && error.exit === exit && text.test(error.message);

test('what a run does follows from its flags', () => {
  const once = plan({ generate: true, once: true, records: 200_000 });
  assert.deepEqual(once.feed, { kind: 'generate', records: 200_000, rate: null, seed: 1, users: 20_000 });
  assert.equal(once.backupIntervalMs, 5_000);
  const live = plan({ generate: true });
  assert.deepEqual(live.feed, { kind: 'generate', records: null, rate: 1_000, seed: 1, users: 20_000 });
  assert.equal(live.backupIntervalMs, 30_000);
  assert.equal(plan({ once: true, input: '-' }).feed.kind, 'stdin');
  assert.equal(plan({}).feed.kind, 'none');
});

test('flags that do not apply are usage errors, input that can not be read is a failure', () => {
  assert.throws(() => plan({ generate: true, input: 'x' }), refusal(2, /one of them/));
  assert.throws(() => plan({ records: 3 }), refusal(2, /--records goes with --generate/));
  assert.throws(() => plan({ generate: true, mapping: 'ecs' }), refusal(2, /--mapping goes with --input/));
  assert.throws(() => plan({ once: true }), refusal(2, /--once needs/));
  assert.throws(
    () => plan({ input: '/no/such/file' }),
    refusal(1, /^input \/no\/such\/file can't be read: there is no such file$/),
  );
  assert.throws(() => plan({ input: '/' }), refusal(1, /it is a folder/));
  // So is a FIFO, or the pipe of <(zcat FILE).
  assert.throws(() => plan({ input: '/dev/null' }), refusal(1, /it is no regular file; .*, by -$/));
});

const summary = {
  schema: 'holdfast/dev/v1',
  records: 10,
  recordsInLog: 20,
  seconds: 2.04,
  recordsPerSec: 4.9,
  users: 3,
  anomalies: 1,
  planted: 2,
  skipped: reasonsOf(
    new Map([
      ['skip:no_user', 1],
      ['skip:empty_line', 4],
      ['dead:bad_json', 2],
    ]),
    'skip',
  ),
  deadLetters: { bad_json: 2 },
  lost: 0,
  duplicates: 0,
  differences: [],
  differencesCount: 0,
  nodeRestarts: 0,
  unverified: null,
} as const;

test('the summary says one fact a line', () => {
  assert.deepEqual(renderSummary(summary), [
    'records 10 (20 in the log)',
    'seconds 2.0',
    'records/s 5',
    'users 3',
    'anomalies 1 (planted 2)',
    'skipped 5 (empty_line 4, no_user 1)',
    'dead letters 2 (bad_json 2)',
    'lost 0',
    'duplicates 0',
    'recounted 20 raw records independently: every user agrees',
  ]);
  assert.ok(isExact(summary));
});

test('a summary with differences is not exact, one that could not check says why', () => {
  const wrong = { ...summary, lost: 1, differences: ['lea events: expected 2, got 1'], differencesCount: 4 };
  assert.ok(!isExact(wrong));
  assert.deepEqual(renderSummary(wrong).slice(-3), [
    'recounted 20 raw records independently: 4 differences',
    '  lea events: expected 2, got 1',
    '  and 3 more',
  ]);
  const unchecked = { ...summary, lost: null, duplicates: null, skipped: null, deadLetters: null, unverified: 'why' };
  assert.deepEqual(renderSummary(unchecked).slice(-5), [
    'skipped -',
    'dead letters -',
    'lost -',
    'duplicates -',
    'not recounted: why',
  ]);
});
