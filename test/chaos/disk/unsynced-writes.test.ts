import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { SeededRng } from '@holdfast/model';
import { buildPreload, missingPreloads } from './preload.ts';
import { cutPower, unsyncedWritesEnv } from './unsynced-writes.ts';

const skip = missingPreloads() ?? false;
const sector = 512;

test('a power cut takes what no sync covers, sector by sector, and nothing else', { skip }, () => {
  const dir = mkdtempSync(join(tmpdir(), 'holdfast-chaos-unsynced-'));
  try {
    const library = buildPreload(dir, 'unsynced-writes');
    const journals = join(dir, 'journals');
    mkdirSync(journals);
    /** The file after a process has written this, sector by sector from the beginning, and was killed. */
    const after = (name: string, keeps: 'none' | 'some', script: string, seed = 1): string => {
      const folder = join(dir, 'nodes', name);
      mkdirSync(folder, { recursive: true });
      const path = join(folder, 'data.mdb');
      writeFileSync(path, 'a'.repeat(4 * sector));
      const child = spawnSync(
        process.execPath,
        [
          '-e',
          `const fs = require('node:fs');
          const path = ${JSON.stringify(path)};
          const fd = fs.openSync(path, 'r+');
          const write = (text, at, to = fd) => fs.writeSync(to, Buffer.from([...text].map((c) => c.repeat(${sector})).join('')), 0, text.length * ${sector}, at === null ? null : at * ${sector});
          ${script};
          process.kill(process.pid, 'SIGKILL');`,
        ],
        { encoding: 'utf8', env: { ...process.env, ...unsyncedWritesEnv(library, '/nodes/', journals) } },
      );
      assert.equal(child.signal, 'SIGKILL', child.stderr);
      cutPower(path, journals, keeps, new SeededRng(seed));
      const text = readFileSync(path, 'latin1');
      return Array.from({ length: statSync(path).size / sector }, (_, i) => text[i * sector]).join('');
    };
    assert.equal(after('unsynced', 'none', `write('bb', 1)`), 'aaaa');
    assert.equal(after('synced', 'none', `write('bb', 1); fs.fdatasyncSync(fd)`), 'abba');
    assert.equal(after('later', 'none', `write('bb', 1); fs.fsyncSync(fd); write('cc', 2)`), 'abba');
    assert.equal(after('twice', 'none', `write('bb', 0); write('cc', 1)`), 'aaaa');
    assert.equal(after('longer', 'none', `write('bb', 3)`), 'aaaa', 'the file is as long as it was');
    assert.equal(
      after('vectors', 'none', `fs.writevSync(fd, [Buffer.alloc(512, 'b'), Buffer.alloc(512, 'c')], 512)`),
      'aaaa',
    );
    assert.equal(after('appended', 'none', `write('bb', null, fs.openSync(path, 'a'))`), 'aaaa');
    const direct = 'fs.openSync(path, fs.constants.O_RDWR | fs.constants.O_DSYNC)';
    assert.equal(after('direct', 'none', `write('b', 0); write('c', 3, ${direct})`), 'aaac');
    const some = new Set<string>();
    for (let seed = 1; seed <= 40; seed++)
      some.add(after(`some-${seed}`, 'some', `write('bb', 1); write('c', 2)`, seed));
    assert.deepEqual(
      [...some].sort(),
      ['aaaa', 'aaba', 'aaca', 'abaa', 'abba', 'abca'],
      'each sector has any of its contents',
    );
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});
