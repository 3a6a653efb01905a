import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { AdminServer, ServerHost } from '@holdfast/transport-grpc';
import { exitCodes } from '../exit-codes.ts';
import { runHere } from '../run-here.test.ts';

/** Nobody listens there. */
const refused = '127.0.0.1:1';

describe('nodes that do not answer in time', { timeout: 60_000 }, () => {
  const host = new ServerHost();
  const ended = new AbortController();
  let address = '';

  before(async () => {
    const never = () => new Promise<never>((_, reject) => ended.signal.addEventListener('abort', reject));
    new AdminServer(host, {
      status: never,
      getUser: never,
      // biome-ignore lint/correctness/useYield: it never comes to that.
      async *exportUsers() {
        await never();
      },
    });
    address = await host.listen();
  });
  after(() => {
    ended.abort();
    return host.close();
  });

  for (const args of [['status'], ['user', 'get', 'lea'], ['export']]) {
    test(`${args.join(' ')}: timed out where each of them had its time, else failed`, async () => {
      const ask = (addresses: string) => runHere([...args, '--addr', addresses, '--timeout', '50ms'], '/');
      const late = await ask(address);
      assert.deepEqual([late.exit, late.out], [exitCodes.timedOut, ''], late.err);
      assert.match(late.err, /^holdfast: 127\.0\.0\.1:\d+ did not answer within 50 ms\n$/);
      assert.equal((await ask(`${address},${address}`)).exit, exitCodes.timedOut);
      const mixed = await ask(`${address},${refused}`);
      assert.equal(mixed.exit, exitCodes.failed, mixed.err);
      assert.match(mixed.err, /none of 2 nodes answers/);
    });
  }
});
