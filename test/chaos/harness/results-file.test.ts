import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { chaosDigest, ResultsFile } from './results-file.ts';
import type { Outcome } from './run-once.ts';

const outcome = (name: string, seed: number, violations: string[] = []): Outcome => ({
  name,
  seed,
  violations,
  result: null,
  kept: null,
});
const at = new Date('2030-01-02T03:04:05Z');

test('what has passed by the same code is known when a run goes on', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-results-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'chaos.jsonl');
  const first = new ResultsFile(path, 'a');
  first.note(outcome('F01', 1), at);
  first.note(outcome('F01', 2, ['I5: lost']), at);
  // An interrupted write.
  appendFileSync(path, '{"code":"a","name":"F02"');

  const next = new ResultsFile(path, 'a');
  assert.deepEqual(
    [next.hasPassed('F01', 1), next.hasPassed('F01', 2), next.hasPassed('F02', 1), next.hasPassed('F0', 11)],
    [true, false, false, false],
  );
  const other = new ResultsFile(path, 'b');
  assert.equal(other.hasPassed('F01', 1), false, 'another code');
  assert.deepEqual(JSON.parse(readFileSync(path, 'utf8').split('\n')[1]!), {
    at: '2030-01-02T03:04:05.000Z',
    code: 'a',
    name: 'F01',
    seed: 2,
    ok: false,
    seconds: null,
    violations: ['I5: lost'],
  });
});

test('the code of a run has a name', () => {
  assert.match(chaosDigest(), /^[0-9a-f]{12}$/);
});
