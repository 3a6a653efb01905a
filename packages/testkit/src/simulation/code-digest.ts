import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const packagesFolder = fileURLToPath(new URL('../../../', import.meta.url));
/** What simulations run, and are made of. */
const packages = ['model', 'raft', 'lease', 'membership', 'processor', 'engine', 'sdk', 'testkit'];

/** Names the sources that simulations run: seeds that passed say something of these alone. */
export function codeDigest(): string {
  return digestOf(
    packagesFolder,
    packages.map((name) => `${name}/src`),
  );
}

/** Names the TypeScript sources of some folders below `root`, the tests among them aside. */
export function digestOf(root: string, folders: readonly string[]): string {
  const hash = createHash('sha256');
  for (const name of folders) {
    const folder = join(root, name);
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
      .map((file) => file.replaceAll('\\', '/'))
      .sort();
    for (const file of files) {
      const text = readFileSync(join(folder, file), 'utf8').replaceAll('\r\n', '\n');
      hash.update(`${name}/${file}\0${text.length}\0${text}`);
    }
  }
  return hash.digest('hex').slice(0, 12);
}
