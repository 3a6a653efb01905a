import assert from 'node:assert/strict';
import { copyFileSync, rmSync } from 'node:fs';
import { after, test } from 'node:test';
import { type Logger, silentLogger } from '@holdfast/model';
import { TlsSource } from './tls-source.ts';
import { Certificates } from './tls-support.test.ts';

const certificates = new Certificates();
after(() => certificates.remove());
const { path, read } = {
  path: (file: string) => certificates.path(file),
  read: (file: string) => certificates.read(file),
};
for (const name of ['old', 'new']) certificates.make(name);
const files = { caFile: path('own.pem'), certFile: path('own.pem'), keyFile: path('own.key'), serverName: 'kafka' };

function take(name: string, ...parts: string[]): void {
  for (const part of parts) copyFileSync(path(`${name}.${part}`), path(`own.${part}`));
}

test('certificates are read for each connection; where they can not be used, the last good ones serve on', () => {
  const problems: string[] = [];
  const logger: Logger = { ...silentLogger, warn: (_, fields = {}) => void problems.push(String(fields.problem)) };
  const settingsOf = (name: string) => {
    const cert = read(`${name}.pem`);
    return { ca: cert, cert, key: read(`${name}.key`), servername: 'kafka' };
  };
  take('old', 'pem', 'key');
  const source = new TlsSource(files);
  assert.deepEqual(source.check(), []);
  assert.deepEqual(source.current(logger), settingsOf('old'));
  // The key is written a moment later.
  take('new', 'pem');
  for (let i = 0; i < 2; i++) assert.deepEqual(source.current(logger), settingsOf('old'));
  assert.equal(problems.length, 1);
  assert.match(problems[0]!, /^tls: .*key values mismatch/);
  take('new', 'key');
  assert.deepEqual(source.current(logger), settingsOf('new'));
  rmSync(path('own.key'));
  for (let i = 0; i < 2; i++) assert.deepEqual(source.current(logger), settingsOf('new'));
  assert.equal(problems.length, 2);
  assert.match(problems[1]!, /^tls\.keyFile: ENOENT/);
});

test('the first time, all that is wrong is said', () => {
  take('old', 'pem');
  rmSync(path('own.key'), { force: true });
  const { keyFile: _, ...without } = files;
  assert.deepEqual(new TlsSource(without).check(), ['tls.certFile and tls.keyFile go together']);
  const [missing, ...others] = new TlsSource({ ...files, caFile: path('none') }).check();
  assert.match(missing!, /^tls\.caFile: ENOENT/);
  assert.match(others[0]!, /^tls\.keyFile: ENOENT/);
  take('new', 'key');
  assert.match(new TlsSource(files).check().join(), /^tls: .*key values mismatch/);
});
