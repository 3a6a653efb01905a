import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A new authority, `NAME.pem` in the folder, and a certificate of it for 127.0.0.1 with its key, `NAME-server.pem`. */
export function makeCertificates(folder: string, name: string): { caFile: string; keystore: string } {
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
  const newKey = (file: string) => ['-newkey', 'rsa:2048', '-nodes', '-keyout', file];
  openssl('req', '-x509', ...newKey(`${name}.key`), '-subj', `/CN=${name}`, '-days', '2', '-out', `${name}.pem`);
  openssl('req', ...newKey('server.key'), '-subj', '/CN=broker', '-out', 'server.csr');
  writeFileSync(join(folder, 'server.ext'), 'subjectAltName=IP:127.0.0.1,DNS:localhost\n');
  const signer = ['-CA', `${name}.pem`, '-CAkey', `${name}.key`, '-CAcreateserial', '-extfile', 'server.ext'];
  openssl('x509', '-req', '-in', 'server.csr', ...signer, '-days', '2', '-out', 'server.pem');
  const keystore = join(folder, `${name}-server.pem`);
  const read = (file: string) => readFileSync(join(folder, file), 'utf8');
  writeFileSync(keystore, read('server.key') + read('server.pem'));
  return { caFile: join(folder, `${name}.pem`), keystore };
}
