import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { readTlsFiles, TlsFilesError, type TlsOwner } from './tls-files.ts';

const folder = mkdtempSync(join(tmpdir(), 'holdfast-tls-files-'));
after(() => rmSync(folder, { recursive: true }));

const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
const path = (file: string) => join(folder, file);

function makeCa(name: string): void {
  openssl(
    'req',
    '-x509',
    ...newKey,
    '-keyout',
    `${name}.key`,
    '-subj',
    `/CN=${name}`,
    '-days',
    '2',
    '-out',
    `${name}.pem`,
  );
}

/** FILE.pem and FILE.key, signed by a CA that `makeCa` made, or by what this has made before. */
function make(file: string, extensions: string, ca = 'ca'): void {
  openssl('req', ...newKey, '-keyout', `${file}.key`, '-subj', `/CN=${file}`, '-out', `${file}.csr`);
  writeFileSync(path(`${file}.ext`), `${extensions}\n`);
  const signer = ['-CA', `${ca}.pem`, '-CAkey', `${ca}.key`, '-CAcreateserial', '-extfile', `${file}.ext`];
  openssl('x509', '-req', '-in', `${file}.csr`, ...signer, '-days', '2', '-out', `${file}.pem`);
}

makeCa('ca');
makeCa('other');
make('n1', 'subjectAltName=DNS:n1,IP:10.0.0.1');
make('op', 'extendedKeyUsage=clientAuth');
make('between', 'basicConstraints=critical,CA:TRUE');

// A minute on: what a test makes after this line is valid, too.
const node: TlsOwner = { nodeId: 'n1', nowUnixMs: Date.now() + 60_000, label: (part) => `tls.${part}` };
const operator: TlsOwner = { ...node, nodeId: null };

function read(files: { ca?: string; cert?: string; key?: string }, owner = node) {
  const { ca = 'ca.pem', cert = 'n1.pem', key = 'n1.key' } = files;
  return readTlsFiles({ caFile: path(ca), certFile: path(cert), keyFile: path(key) }, owner);
}

function problemsOf(files: Parameters<typeof read>[0], owner = node): readonly string[] {
  try {
    read(files, owner);
  } catch (error) {
    assert.ok(error instanceof TlsFilesError);
    return error.problems.map((line) => line.replaceAll(`${folder}/`, ''));
  }
  return [];
}

test('what fits is read as it is', () => {
  const { ca, cert, key } = read({});
  assert.match(ca, /BEGIN CERTIFICATE/);
  assert.match(cert, /BEGIN CERTIFICATE/);
  assert.match(key, /BEGIN PRIVATE KEY/);
  assert.deepEqual(problemsOf({ cert: 'op.pem', key: 'op.key' }, operator), []);
});

test('every file is told with what is wrong with it', () => {
  writeFileSync(path('text'), 'no PEM at all');
  writeFileSync(path('broken'), '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n');
  assert.deepEqual(problemsOf({ ca: 'gone', cert: '.', key: 'text' }), [
    "tls.ca: gone can't be read: there is no such file",
    `tls.cert: ${folder} can't be read: it is a folder`,
    'tls.key: text has no private key in it (PEM)',
  ]);
  assert.deepEqual(problemsOf({ ca: 'text', cert: 'broken' }), [
    'tls.ca: text has no certificate in it (PEM)',
    "tls.cert: broken has a certificate in it that can't be read",
  ]);
  assert.deepEqual(problemsOf({ cert: 'n1.key' }), ['tls.cert: n1.key has no certificate in it (PEM)']);
  assert.deepEqual(problemsOf({ key: 'op.key' }), ['tls.key: op.key is not the key of the certificate in n1.pem']);
  openssl('pkcs8', '-topk8', '-in', 'n1.key', '-passout', 'pass:hush', '-out', 'locked.key');
  assert.deepEqual(problemsOf({ key: 'locked.key' }), [
    'tls.key: locked.key needs a passphrase, and there is none to give',
  ]);
});

test('a certificate that the others would refuse is refused at once', () => {
  const dayMs = 86_400_000;
  assert.match(
    problemsOf({}, { ...node, nowUnixMs: Date.now() + 3 * dayMs })[0]!,
    /^tls\.cert: n1\.pem has expired, on 20/,
  );
  assert.match(
    problemsOf({}, { ...node, nowUnixMs: Date.now() - dayMs })[0]!,
    /^tls\.cert: n1\.pem is not valid before 20/,
  );
  assert.deepEqual(problemsOf({}, { ...node, nodeId: 'n2' }), [
    'tls.cert: n1.pem does not name this node: it has the DNS names n1, and node.id is n2',
  ]);
  assert.deepEqual(problemsOf({ cert: 'op.pem', key: 'op.key' }), [
    'tls.cert: op.pem does not name this node: it has no DNS names (subjectAltName), and node.id is n1',
    'tls.cert: op.pem is not for use by a server (extendedKeyUsage)',
  ]);
  assert.deepEqual(problemsOf({ ca: 'other.pem' }), [
    'tls.cert: n1.pem is not signed by what is in tls.ca (other.pem); its issuer is CN=ca',
  ]);
});

test('authorities may be several, and one between them and the certificate', () => {
  const text = (file: string) => openssl('x509', '-in', file).toString();
  writeFileSync(path('both.pem'), text('other.pem') + text('ca.pem'));
  assert.deepEqual(problemsOf({ ca: 'both.pem' }), []);
  make('below', 'subjectAltName=DNS:n1', 'between');
  assert.match(problemsOf({ cert: 'below.pem', key: 'below.key' })[0]!, /not signed .*its issuer is CN=between/);
  writeFileSync(path('chain.pem'), text('below.pem') + text('between.pem'));
  assert.deepEqual(problemsOf({ cert: 'chain.pem', key: 'below.key' }), []);
});
