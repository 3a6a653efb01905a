import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { JsonLines, JsonLinesError } from './json-lines.ts';
import { ResumeFile } from './resume-file.ts';

function folderOf(t: { after: (end: () => void) => void }): string {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-lines-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

test('a line that was cut is no value, and spoils none that follows', (t) => {
  const path = join(folderOf(t), 'lines.jsonl');
  new JsonLines(path).add({ n: 1 });
  appendFileSync(path, '{"n":2');
  const next = new JsonLines(path);
  assert.deepEqual(next.earlier, [{ n: 1 }]);
  next.add({ n: 3 });
  assert.deepEqual(new JsonLines(path).earlier, [{ n: 1 }, { n: 3 }]);
});

test('what can not be written is an error before there is anything to write', (t) => {
  const folder = folderOf(t);
  assert.throws(() => new JsonLines(folder), { name: 'JsonLinesError', message: /used: EISDIR/ });
  assert.throws(() => new JsonLines(join(folder, 'none/lines.jsonl')), /lines.jsonl can't be used: ENOENT/);
});

test('a run of seeds goes on in its own file, and in no other', (t) => {
  const path = join(folderOf(t), 'seeds.jsonl');
  const noted = { seed: 7, failure: 'I5: lost', result: null, twice: false };
  const report = { ...noted, trace: false, found: null, lines: [] };
  const run = { profile: 'cluster', first: 1, code: 'a' };
  new ResumeFile(path, run).note(report);
  assert.deepEqual([...new ResumeFile(path, run).done], [[7, noted]]);
  for (const other of [
    { ...run, code: 'b' },
    { ...run, first: 2 },
  ])
    assert.throws(() => new ResumeFile(path, other), JsonLinesError);
  writeFileSync(path, 'not of ours\n');
  assert.throws(() => new ResumeFile(path, run), /is of no run/);
});
