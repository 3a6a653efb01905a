import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Certificates for 127.0.0.1 that are signed by nobody else, and their keys, in a folder that goes with the test. */
export class Certificates {
  readonly folder = mkdtempSync(join(tmpdir(), 'holdfast-kafka-tls-'));

  /** Makes NAME.pem and NAME.key; or makes them anew. */
  make(name: string): { readonly certFile: string; readonly keyFile: string } {
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
    const names = ['-subj', `/CN=${name}`, '-addext', 'subjectAltName=IP:127.0.0.1'];
    const files = ['-keyout', `${name}.key`, '-out', `${name}.pem`];
    execFileSync('openssl', ['req', '-x509', ...curve, ...names, ...files, '-days', '2'], {
      cwd: this.folder,
      stdio: 'pipe',
    });
    return { certFile: this.path(`${name}.pem`), keyFile: this.path(`${name}.key`) };
  }

  path(file: string): string {
    return join(this.folder, file);
  }

  read(file: string): Buffer {
    return readFileSync(this.path(file));
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
