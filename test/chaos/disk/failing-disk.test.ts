import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { commandDisk, type DiskCommand, failingDiskEnv, syncsAgain } from './failing-disk.ts';
import { buildPreload, missingPreloads } from './preload.ts';

test('a disk fails, or is slow, on command, below the folder that is meant', {
  skip: missingPreloads() ?? false,
}, () => {
  const dir = mkdtempSync(join(tmpdir(), 'holdfast-chaos-disk-'));
  try {
    const raft = join(dir, 'nodes/n1/raft');
    mkdirSync(raft, { recursive: true });
    const library = buildPreload(dir, 'failing-disk');
    const write = (folder: string, command: DiskCommand): string => {
      commandDisk(dir, 'n1', command);
      const script = `
        const fs = require('node:fs');
        const fd = fs.openSync(${JSON.stringify(join(folder, 'file'))}, 'a');
        const startMs = performance.now();
        try {
          fs.writeSync(fd, 'x', 0);
          fs.fdatasyncSync(fd);
          console.log(performance.now() - startMs > 250 ? 'late' : 'ok');
        } catch (error) {
          console.log(error.code);
          if (error.syscall === 'fdatasync') fs.fdatasyncSync(fd);
        }`;
      const env = { ...process.env, ...failingDiskEnv(library, '/nodes/n1/raft', dir, 'n1') };
      return execFileSync(process.execPath, ['-e', script], { encoding: 'utf8', env }).trim();
    };
    assert.equal(write(raft, 'well'), 'ok');
    assert.equal(syncsAgain(dir, 'n1'), 0);
    assert.equal(write(raft, 'eio'), 'EIO');
    assert.equal(syncsAgain(dir, 'n1'), 1, 'the second sync says that all is well');
    assert.equal(write(raft, 'erofs'), 'EROFS');
    assert.equal(write(raft, 'slow 300'), 'late');
    for (const command of ['eio', 'erofs'] as const) assert.equal(write(dir, command), 'ok', 'elsewhere all is well');
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});
