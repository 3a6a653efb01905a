import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { openDataFolder } from '@holdfast/embedded';
import { AdminServer, ServerHost } from '@holdfast/transport-grpc';
import { writeDevFile } from '../dev/dev-file.ts';
import { runHere } from '../run-here.test.ts';

const dir = mkdtempSync(join(tmpdir(), 'holdfast-user-get-'));
const host = new ServerHost();
after(async () => {
  await host.close();
  rmSync(dir, { recursive: true, force: true });
});

test('whom neither the store nor a node without a leader knows is no answer; with no node at all, nobody', async () => {
  new AdminServer(host, {
    status: () => Promise.reject(new Error('busy')),
    getUser: () => Promise.reject(new Error('not known here')),
    async *exportUsers() {},
  });
  const address = await host.listen();
  const data = join(dir, 'data');
  assert.equal(openDataFolder(data, Date.now()).code, 'OK');
  const nodes = [{ id: 'n1', address }];
  const run = { pid: 1, startedUnixMs: 1, mapping: 'holdfast', unfinishedInput: null };
  writeDevFile(data, { schema: 'holdfast/dev-run/v1', ...run, nodes });
  const get = () => runHere(['user', 'get', 'lea', '--data', data], dir);
  const running = await get();
  assert.deepEqual([running.exit, /answered: not known here$/m.test(running.err)], [1, true], running.err);
  writeDevFile(data, { schema: 'holdfast/dev-run/v1', ...run, nodes: [{ id: 'n1', address: '127.0.0.1:1' }] });
  assert.equal((await get()).exit, 3);
});
