import { execFile, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** Tried with each of them (docs/KAFKA.md); the first one is what tests run against. */
export const kafkaVersions = ['4.4.0', '3.9.2'] as const;

const pom = join(import.meta.dirname, 'kafka-pom.xml');

/** Why no broker can be started here; null when one can. */
export function missingForKafka(): string | null {
  for (const [program, arg] of [
    ['java', '-version'],
    ['mvn', '--version'],
  ] as const) {
    if (spawnSync(program, [arg], { stdio: 'ignore' }).status !== 0) {
      return `Kafka needs Java 17 and Maven (apt-get install default-jre-headless maven): ${program} is missing`;
    }
  }
  return null;
}

/** A repository may refuse for a moment; Maven goes on where it stopped. */
const fetchTries = 3;

/** The folder with a broker's jars. Fetched once per version, by Maven as it is set up here. */
export async function kafkaJars(version: string): Promise<string> {
  const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'holdfast', 'kafka');
  const folder = join(cache, version);
  if (existsSync(folder)) return folder;
  mkdirSync(cache, { recursive: true });
  const fetched = mkdtempSync(join(cache, `${version}-`));
  const args = ['-q', '-B', '-f', pom, `-Dkafka.version=${version}`, 'dependency:copy-dependencies'];
  const output = [`-DoutputDirectory=${join(fetched, 'jars')}`, '-DincludeScope=runtime'];
  try {
    await runMaven([...args, ...output], version);
    // Whole or not at all; another process may have been faster.
    if (!existsSync(folder)) renameSync(join(fetched, 'jars'), folder);
  } catch (error) {
    if (!existsSync(folder)) throw error;
  } finally {
    rmSync(fetched, { recursive: true, force: true });
  }
  return folder;
}

async function runMaven(args: readonly string[], version: string): Promise<void> {
  for (let left = fetchTries; ; ) {
    try {
      // -U: what was refused is asked for again.
      await promisify(execFile)('mvn', ['-U', ...args], { maxBuffer: 16 * 1024 * 1024 });
      return;
    } catch (cause) {
      if (--left > 0) continue;
      const said = String((cause as { stdout?: unknown }).stdout ?? '').trim();
      throw new Error(`Maven can't fetch Kafka ${version}: ${said.slice(0, 1_000)}`, { cause });
    }
  }
}
