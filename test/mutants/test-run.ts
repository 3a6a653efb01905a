import { spawn } from 'node:child_process';
import { reportMark } from './test-reporter.ts';
import { type Ending, isTelling } from './test-verdict.ts';

/** The test that tells most of how a file's tests failed. */
export interface Failure {
  readonly ending: Ending;
  readonly name: string;
  /** What its error says. */
  readonly text: string;
}

export interface TestLimits {
  /** A test that takes longer is hung, unless it has a limit of its own. */
  readonly testMsMax: number;
  /** No test came to its end for so long: one that never gives way hears of no limit, so the process is ended. */
  readonly silenceMsMax: number;
}

const defaultLimits: TestLimits = { testMsMax: 120_000, silenceMsMax: 360_000 };
const reporter = new URL('test-reporter.ts', import.meta.url).href;
const noShrinking = new URL('no-shrinking.ts', import.meta.url).href;

/** Runs the tests of files one after the other, up to the first file of which enough is told; null when all passed. */
export async function firstFailure(
  folder: string,
  files: readonly string[],
  limits: TestLimits = defaultLimits,
): Promise<Failure | null> {
  let most: Failure | null = null;
  for (const file of files) {
    most = mostTelling(most, await runFile(folder, file, limits));
    if (most?.ending === 'failed' || most?.ending === 'broke') return most;
  }
  return most;
}

function mostTelling(a: Failure | null, b: Failure | null): Failure | null {
  if (a === null || b === null) return a ?? b;
  return isTelling(b.ending, a.ending) ? b : a;
}

/** In one process, without a runner: what fails to load then fails without a test. */
function runFile(folder: string, file: string, { testMsMax, silenceMsMax }: TestLimits): Promise<Failure | null> {
  const options = [`--import=${noShrinking}`, `--test-reporter=${reporter}`, `--test-timeout=${testMsMax}`];
  const args = ['--conditions=source', ...options, file];
  // Under a runner of tests, a file would report to it.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let isSilent = false;
    const silence = setTimeout(() => {
      isSilent = true;
      child.kill('SIGKILL');
    }, silenceMsMax);
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      if (text.includes(reportMark)) silence.refresh();
    });
    let errors = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      errors += text;
    });
    child.on('error', reject);
    child.on('close', (code) => {
      clearTimeout(silence);
      const failure = failureIn(output);
      if (isSilent)
        resolve(mostTelling(failure, { ending: 'hung', name: file, text: `silent for ${silenceMsMax} ms` }));
      else if (failure === null && code !== 0) resolve({ ending: 'broke', name: file, text: whyBroken(errors, code) });
      else resolve(failure);
    });
  });
}

/** @param output of the reporter and the tests */
function failureIn(output: string): Failure | null {
  let most: Failure | null = null;
  for (const line of output.split('\n')) {
    if (!line.startsWith(reportMark)) continue;
    const told = JSON.parse(line.slice(reportMark.length)) as Omit<Failure, 'ending'> & { ending: Ending | null };
    if (told.ending !== null) most = mostTelling(most, { ...told, ending: told.ending });
  }
  return most;
}

function whyBroken(errors: string, code: number | null): string {
  return /^.*Error.*$/m.exec(errors)?.[0] ?? `ended with ${code}, though no test failed`;
}
