import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createFile, replaceFile } from './durable-file.ts';
import { temporaryFolder } from './test-support.test.ts';

const [, , role, path = ''] = process.argv;
if (role === 'fill') fill(path);
else tests();

/** In a process whose files may have 8 KiB: a write of more is cut short, as on a full disk, and the next one fails. */
function fill(folder: string): void {
  process.on('SIGXFSZ', () => undefined);
  const text = 'x'.repeat(9_000);
  for (const write of [replaceFile, createFile]) {
    assert.throws(() => write(join(folder, write === replaceFile ? 'kept' : 'new'), text), { code: 'EFBIG' });
  }
}

function tests(): void {
  test('a file that there is no room for fails, and leaves what was there', () => {
    const { dir, remove } = temporaryFolder();
    replaceFile(join(dir, 'kept'), 'before');
    const command = 'ulimit -f 16; exec "$0" --conditions=source "$@"';
    execFileSync('sh', ['-c', command, process.execPath, import.meta.filename, 'fill', dir], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    assert.equal(readFileSync(join(dir, 'kept'), 'utf8'), 'before');
    assert.deepEqual(readdirSync(dir), ['kept']);
    remove();
  });
}
