import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { AdminServer, ServerHost } from '@holdfast/transport-grpc';
import { exitCodes } from '../exit-codes.ts';
import { runHere } from '../run-here.test.ts';
import { sampleStatus } from '../sample-documents.test.ts';

const path = (file: string) => fileURLToPath(new URL(file, import.meta.url));

/** Runs a program of which nobody reads stdout any more after its first piece; that is closed at once for `none`. */
async function unread(args: readonly string[], read: 'first' | 'none'): Promise<{ code: number | null; err: string }> {
  const child = spawn(process.execPath, ['--conditions=source', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let err = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
  if (read === 'first') await once(child.stdout, 'data');
  child.stdout.destroy();
  const [code] = await once(child, 'close');
  return { code: code as number | null, err };
}

describe('status --watch', { timeout: 60_000 }, () => {
  const host = new ServerHost();
  let address = '';
  /** Each look finds a state of its own; so many looks are answered. */
  let looks = 0;
  let answered = Number.POSITIVE_INFINITY;

  before(async () => {
    new AdminServer(host, {
      status: async () => {
        if (looks++ >= answered) throw new Error('no longer');
        const cluster = { ...sampleStatus.cluster, term: String(looks) };
        return { schema: sampleStatus.schema, document: { ...sampleStatus, cluster } };
      },
      getUser: async () => null,
      async *exportUsers() {},
    });
    address = await host.listen();
  });
  after(() => host.close());

  test('status -w | head -1 ends', async () => {
    const args = ['status', '-w', '-o', 'jsonl', '--interval', '20ms', '--addr', address];
    const { code } = await unread([path('../main.ts'), ...args], 'first');
    assert.equal(code, exitCodes.degraded);
  });

  test('a watch whose last look failed has failed', async () => {
    const args = ['status', '-w', '-n', '2', '--interval', '10ms', '--addr', address];
    assert.equal((await runHere(args, '/')).exit, exitCodes.degraded);
    answered = looks + 1;
    const { exit, out } = await runHere(args, '/');
    assert.equal(exit, exitCodes.failed);
    assert.match(out, /no longer/);
  });

  const isLinux = process.platform === 'linux';
  for (const args of [
    ['schema', 'status'],
    ['status', '--help'],
    ['status', '-w', '--addr', 'LIVE'],
  ]) {
    test(`stdout without room: one line, exit 1: ${args.join(' ')}`, { skip: !isLinux }, async () => {
      answered = Number.POSITIVE_INFINITY;
      const full = openSync('/dev/full', 'w');
      const words = args.map((word) => (word === 'LIVE' ? address : word));
      const child = spawn(process.execPath, ['--conditions=source', path('../main.ts'), ...words], {
        stdio: ['ignore', full, 'pipe'],
      });
      closeSync(full);
      let err = '';
      child.stderr!.setEncoding('utf8').on('data', (text: string) => (err += text));
      const [code] = await once(child, 'close');
      assert.equal(err, "holdfast: stdout can't be written: ENOSPC: no space left on device, write\n");
      assert.equal(code, exitCodes.failed);
    });
  }

  test('without a reader of stdout, errors are told all the same', async () => {
    const script = `
      import { processIo } from ${JSON.stringify(path('../io.ts'))};
      const io = processIo(false);
      while (!io.outUnread.aborted) await io.out('data');
      io.note('an error');`;
    assert.deepEqual(await unread(['--input-type=module', '-e', script], 'none'), { code: 0, err: 'an error' });
  });
});
