import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { inspect } from 'node:util';
import { RedisBackupStore, type RedisStoreOptions } from '@holdfast/backup-redis';
import { freePorts } from '../cluster/support/free-ports.ts';
import { RedisServer, serviceFolder, startRedis } from './redis-server.ts';
import { storeUserAcl } from './redis-store-support.ts';

const { dir, remove } = serviceFolder('redis-start');
const stops: (() => Promise<void>)[] = [];
after(async () => {
  for (const stop of stops) await stop();
  remove();
});

const quick = { callTimeoutMs: 1_500, replyTimeoutMs: 700, connectDeadlineMs: 10_000 };

async function started(config: Record<string, string> = {}): Promise<RedisServer> {
  const server = await startRedis(dir, config);
  stops.push(() => server.stop());
  return server;
}

/** Opens and closes; what the log said. */
async function opened(options: RedisStoreOptions): Promise<RedisBackupStore> {
  const store = await RedisBackupStore.open({ ...quick, ...options });
  await store.generationId();
  await store.close();
  return store;
}

test('wrong credentials fail at once, whatever the deadline', async () => {
  const server = await started({ requirepass: 'pa55word' });
  const startMs = performance.now();
  for (const url of [
    `redis://:passw0rd@${server.address}`,
    `redis://${server.address}`,
    `redis://who:pa55word@${server.address}`,
  ]) {
    await assert.rejects(RedisBackupStore.open({ url }), (error: Error & { code: string }) => {
      assert.equal(error.code, 'AUTHENTICATION', error.message);
      assert.match(error.message, new RegExp(`redis ${server.address} refuses the user \\((WRONGPASS|NOAUTH)`));
      assert.doesNotMatch(inspect(error, { depth: 9 }), /pa55word|passw0rd/, 'no secrets in errors');
      return true;
    });
  }
  assert.ok(performance.now() - startMs < 5_000);
  await opened({ url: `redis://:pa55word@${server.address}` });
});

test('a user who lacks a right is refused at once, with the command', async () => {
  const server = await started();
  const rules = storeUserAcl('secret').filter((rule) => rule !== '+fcall' && rule !== '+function|load');
  await server.cli('ACL', 'SETUSER', ...rules);
  const options = { url: `redis://${server.address}`, username: 'holdfast', password: 'secret' };
  await assert.rejects(opened(options), { code: 'AUTHENTICATION', message: /NOPERM.*function\|load.*users\.acl/ });
});

test('a replica is refused, and the master named', async () => {
  const master = await started();
  const [port] = await freePorts(1);
  const replica = new RedisServer(port!, join(dir, 'replica'), { replicaof: `127.0.0.1 ${master.port}` });
  await replica.start();
  stops.push(() => replica.stop());
  await assert.rejects(opened({ url: `redis://${replica.address}` }), {
    code: 'UNSUITABLE',
    message: new RegExp(`${replica.address} is a replica of 127.0.0.1:${master.port}`),
  });
});

describe('persistence is looked at, and said', () => {
  for (const [config, expected] of [
    [{ appendonly: 'yes', appendfsync: 'always' }, 'always'],
    [{ appendonly: 'yes', appendfsync: 'everysec' }, /^everysec(-awaited)?$/],
    [{ appendonly: 'no', save: '60 1' }, 'snapshots'],
    [{ appendonly: 'no' }, 'none'],
  ] as const) {
    test(JSON.stringify(config), async () => {
      const server = await started(config);
      const { persistence } = await opened({ url: `redis://${server.address}` });
      if (typeof expected === 'string') assert.equal(persistence, expected);
      else assert.match(persistence, expected);
    });
  }
});

test('TLS: with the authority it works, without it or with another it is refused', async () => {
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: dir, stdio: 'pipe' });
  const newKey = (name: string) => [
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-keyout',
    `${name}.key`,
  ];
  for (const name of ['ours', 'foreign']) {
    openssl('req', '-x509', ...newKey(name), '-subj', `/CN=${name}`, '-days', '2', '-out', `${name}.pem`);
  }
  openssl('req', ...newKey('server'), '-subj', '/CN=redis', '-out', 'server.csr');
  writeFileSync(join(dir, 'server.ext'), 'subjectAltName=IP:127.0.0.1\n');
  const signer = ['-CA', 'ours.pem', '-CAkey', 'ours.key', '-CAcreateserial', '-extfile', 'server.ext'];
  openssl('x509', '-req', '-in', 'server.csr', ...signer, '-days', '2', '-out', 'server.pem');
  const [port, tlsPort] = await freePorts(2);
  const server = new RedisServer(port!, join(dir, 'tls'), {
    port: '0',
    'tls-port': String(tlsPort),
    'tls-cert-file': join(dir, 'server.pem'),
    'tls-key-file': join(dir, 'server.key'),
    'tls-ca-cert-file': join(dir, 'ours.pem'),
    'tls-auth-clients': 'no',
  });
  await server.start();
  stops.push(() => server.stop());
  const ca = (name: string) => readFileSync(join(dir, `${name}.pem`), 'utf8');
  await opened({ url: `rediss://127.0.0.1:${tlsPort}`, tls: { ca: ca('ours') } });
  const short = { connectDeadlineMs: 300 };
  await assert.rejects(opened({ url: `rediss://127.0.0.1:${tlsPort}`, tls: { ca: ca('foreign') }, ...short }), {
    code: 'UNREACHABLE',
    message: /unable to verify|self-signed|certificate/,
  });
  await assert.rejects(opened({ url: `redis://127.0.0.1:${tlsPort}`, ...short }), { code: 'UNREACHABLE' });
});
