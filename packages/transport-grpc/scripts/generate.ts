/**
 * Writes src/generated/proto-text.ts from the .proto files of the repository, so that the published package needs no
 * files beside its code. `--check`: exits 1 when the committed file is not what would be written.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

const protoFolder = new URL('../../../proto/holdfast/v1/', import.meta.url);
const target = new URL('../src/generated/proto-text.ts', import.meta.url);

export function protoTextSource(): string {
  const files = readdirSync(protoFolder)
    .filter((name) => name.endsWith('.proto'))
    .sort();
  const entries = files.map((name) => {
    const text = readFileSync(new URL(name, protoFolder), 'utf8');
    const literal = text.replaceAll('\\', '\\\\').replaceAll('`', '\\`').replaceAll('$', '\\$');
    return `  'holdfast/v1/${name}': \`${literal}\`,\n`;
  });
  return [
    '// Made by scripts/generate.ts from proto/: run it again after a change there.\n\n',
    '/** Text of each .proto file, by its path under proto/. */\n',
    'export const protoText = {\n',
    ...entries,
    '} as const;\n',
  ].join('');
}

export const generatedFile = target;

if (import.meta.main) {
  const source = protoTextSource();
  if (!process.argv.includes('--check')) writeFileSync(target, source);
  else if (readFileSync(target, 'utf8') !== source) {
    console.error('src/generated/proto-text.ts is stale: run node packages/transport-grpc/scripts/generate.ts');
    process.exitCode = 1;
  }
}
