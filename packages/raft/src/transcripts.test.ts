import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Stage } from '../test/stage.ts';

/*
 * Stories in plain text: `$ line` says what is done, the lines up to the next empty one or `$` what came of it, `#` is
 * for the reader. `RAFT_TRANSCRIPTS=rewrite` writes down what comes of it now: read the difference like code.
 */
const folder = join(import.meta.dirname, '../test/transcripts');
const isRewriting = process.env.RAFT_TRANSCRIPTS === 'rewrite';

function replay(text: string): string {
  const stage = new Stage();
  const lines: string[] = [];
  for (const line of text.split('\n')) {
    if (line.startsWith('$ ')) lines.push(line, ...stage.do(line.slice(2)).map((told) => `  ${told}`));
    else if (!line.startsWith('  ')) lines.push(line);
  }
  return lines.join('\n');
}

const names = readdirSync(folder).filter((name) => name.endsWith('.txt'));

for (const name of names) {
  test(`transcript ${name}`, () => {
    const path = join(folder, name);
    const written = readFileSync(path, 'utf8');
    const now = replay(written);
    if (isRewriting) writeFileSync(path, now);
    else assert.equal(now, written);
  });
}

test('there are transcripts', () => {
  assert.ok(names.length >= 8);
});
