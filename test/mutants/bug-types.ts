import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { outputOf, type PlantedChange } from './source-copy.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const compiler = join(root, 'node_modules/typescript/bin/tsc');
const config = 'tsconfig.planted.json';

/**
 * What the compiler says of those bugs that it would not let pass, by their names. Such a bug is hardly the one that its
 * name says: a call that lacks an argument since the code has moved may do nothing at all.
 * @param folder a copy of the sources; the bugs' paths are below it
 */
export async function typeErrorsOf(
  folder: string,
  bugs: readonly PlantedChange[],
): Promise<ReadonlyMap<string, string>> {
  await writeFile(join(folder, config), JSON.stringify(settings));
  const found = new Map<string, string>();
  try {
    for (const batch of batchesOf(bugs)) for (const [name, text] of await compile(folder, batch)) found.set(name, text);
  } finally {
    await rm(join(folder, config));
  }
  return found;
}

/** Unused names are of no interest: a bug often is that something isn't used. */
const settings = {
  extends: join(root, 'tsconfig.base.json'),
  compilerOptions: {
    ...{ noEmit: true, composite: false, declaration: false, declarationMap: false, sourceMap: false },
    ...{ rewriteRelativeImportExtensions: false, allowImportingTsExtensions: true },
    ...{
      noUnusedLocals: false,
      noUnusedParameters: false,
      types: ['node'],
      typeRoots: [join(root, 'node_modules/@types')],
    },
  },
  include: ['packages/*/src/**/*.ts', '*.ts'],
  exclude: ['**/*.test.ts'],
};

/** One bug of each file at a time: all that the compiler says of the file is of that bug. */
function batchesOf(bugs: readonly PlantedChange[]): PlantedChange[][] {
  const counts = new Map<string, number>();
  const batches: PlantedChange[][] = [];
  for (const bug of bugs) {
    if (!bug.file.endsWith('.ts')) continue;
    const at = counts.get(bug.file) ?? 0;
    counts.set(bug.file, at + 1);
    batches[at] ??= [];
    batches[at].push(bug);
  }
  return batches;
}

async function compile(folder: string, bugs: readonly PlantedChange[]): Promise<[name: string, text: string][]> {
  const sources = new Map<string, string>();
  for (const { file } of bugs) sources.set(file, await readFile(join(folder, file), 'utf8'));
  try {
    for (const { file, find, replace } of bugs)
      await writeFile(
        join(folder, file),
        sources.get(file)!.replace(find, () => replace),
      );
    const { code, output } = await outputOf(folder, [compiler, '--pretty', 'false', '-p', config]);
    const errors = output.split('\n').filter((line) => /\berror TS\d+: /.test(line));
    const known = bugs.flatMap(({ name, file }): [string, string][] => {
      const text = errors.find((line) => line.startsWith(`${file}(`));
      return text === undefined ? [] : [[name, text]];
    });
    // Of another file than those with bugs: which bug it is of, nobody can say.
    if (known.length === 0 && code !== 0) throw new Error(`what is planted does not compile: ${errors[0] ?? output}`);
    return known;
  } finally {
    for (const [file, text] of sources) await writeFile(join(folder, file), text);
  }
}
