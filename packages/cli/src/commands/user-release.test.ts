import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { AdminServer, ServerHost } from '@holdfast/transport-grpc';
import { runHere } from '../run-here.test.ts';

const host = new ServerHost();
after(() => host.close());

test('who releases a user is told that a replay by reason is of all users', async () => {
  const asked: unknown[] = [];
  new AdminServer(host, {
    status: () => Promise.reject(new Error('not asked')),
    act: async (request) => {
      asked.push(request);
      return { schema: 'holdfast/act/v1', document: { code: 'OK', text: null, from: null, to: null } };
    },
    getUser: async () => null,
    async *exportUsers() {},
  });
  const { exit, out, err } = await runHere(['user', 'release', 'lea', '--addr', await host.listen()], '/');
  assert.deepEqual([exit, out], [0, '']);
  assert.equal((asked[0] as { kind: string }).kind, 'releaseUser');
  assert.match(err, /^released: [^\n]+\nwhat came before is in dead letters: /);
  assert.match(err, /dlq replay LETTER applies its record\.\n/);
  assert.match(err, /--reason quarantined takes those of all users; what was replayed before counts twice\n$/);
});
