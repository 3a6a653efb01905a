import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { openDataFolder } from '@holdfast/embedded';
import { writeDevFile } from './dev/dev-file.ts';
import { runHere } from './run-here.test.ts';

const dir = mkdtempSync(join(tmpdir(), 'holdfast-part-'));
after(() => rmSync(dir, { recursive: true, force: true }));
writeFileSync(join(dir, 'in.jsonl'), '{}\n');

/** A data folder as a node that keeps log and store elsewhere leaves it. */
function folder(name: string): string {
  const data = join(dir, name);
  assert.equal(openDataFolder(data, Date.now()).code, 'OK');
  mkdirSync(join(data, 'nodes', 'n1'));
  return data;
}

test('of nodes that keep log and store elsewhere a data folder answers nothing, and gets neither', async () => {
  const data = folder('elsewhere');
  for (const [args, text] of [
    [['export'], /their store is not in it; give --addr/],
    [['user', 'get', 'lea'], /their store is not in it; give --addr/],
    [['user', 'discard', 'lea'], /their store is not in it; holdfast config show --config FILE/],
    [['topic', 'feed', 'in.jsonl'], /their log is not in it; give --config/],
    [['topic', 'lag'], /their log is not in it; give --config/],
    [['dlq', 'ls'], /their log is not in it; give --config/],
  ] as const) {
    const { exit, out, err } = await runHere([...args, '--data', data], dir);
    assert.deepEqual([exit, out, text.test(err)], [1, '', true], err);
  }
  assert.deepEqual([existsSync(join(data, 'log')), existsSync(join(data, 'store'))], [false, false]);
});

test('a folder without nodes, and one whose dev cluster has just begun, is empty', async () => {
  const data = join(dir, 'new');
  assert.equal(openDataFolder(data, Date.now()).code, 'OK');
  const begun = folder('begun');
  const run = { pid: 1, startedUnixMs: 1, mapping: 'holdfast', nodes: [], unfinishedInput: null };
  writeDevFile(begun, { schema: 'holdfast/dev-run/v1', ...run });
  for (const from of [data, begun]) {
    assert.deepEqual(await runHere(['export', '--data', from], dir), { exit: 0, out: '', err: '' });
    for (const args of [
      ['dlq', 'ls'],
      ['dlq', 'replay', '--all', '--yes'],
      ['topic', 'lag'],
    ]) {
      const { exit, err } = await runHere([...args, '--data', from], dir);
      assert.deepEqual(
        [exit, err],
        [3, `holdfast: there is no log ${join(from, 'log')}: nothing has been fed to it yet\n`],
      );
    }
    assert.equal(existsSync(join(from, 'log')), false);
    assert.equal((await runHere(['user', 'discard', 'lea', '--data', from], dir)).exit, 3);
  }
});
