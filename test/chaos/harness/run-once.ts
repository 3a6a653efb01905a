import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ChaosNetwork } from '../network/chaos-network.ts';
import { removeCages } from './cpu-cage.ts';
import { endLeftovers } from './leftovers.ts';
import type { RunResult } from './run-scenario.ts';
import { nameOf, type Scenario } from './scenario.ts';

const child = fileURLToPath(new URL('./run-child.ts', import.meta.url));
/** For the checks after the last node has stopped. */
const checkMs = 120_000;

export interface Outcome {
  readonly name: string;
  readonly seed: number;
  readonly violations: readonly string[];
  readonly result: RunResult | null;
  /** Where logs and history are, when it failed; null when nothing is left. */
  readonly kept: string | null;
}

/**
 * Runs a scenario once in a process of its own, and takes away all that it made, however it ends.
 * @param stop ends it early
 */
export async function runOnce(scenario: Scenario, seed: number, stop: AbortSignal): Promise<Outcome> {
  const dir = mkdtempSync(join(tmpdir(), 'holdfast-chaos-'));
  const name = nameOf(scenario);
  const network = scenario.needs.includes('namespaces')
    ? new ChaosNetwork(`hf${process.pid.toString(36)}`, scenario.cluster?.nodes ?? 3)
    : null;
  const violations: string[] = [];
  let result: RunResult | null = null;
  /** All that the run starts is in it, noted or not: a server renames itself, and one may be on its way up. */
  let group: number | undefined;
  try {
    network?.create();
    const through = [
      // Mounts of a run are gone with its processes.
      ...(scenario.needs.includes('mounts') ? ['unshare', '--mount', '--propagation', 'private', '--'] : []),
      ...(network?.throughHub() ?? []),
    ];
    const [program, ...args] = [
      ...through,
      ...[process.execPath, '--conditions=source', child],
      ...['--scenario', name, '--seed', `${seed}`, '--dir', dir],
      ...(network === null ? [] : ['--network', network.tag]),
    ];
    // A group of its own: Ctrl-C is for this process, which then cleans up.
    const running = spawn(program!, args, { stdio: ['ignore', 'inherit', 'inherit'], detached: true });
    const exited = once(running, 'exit');
    group = running.pid;
    const kill = (): void => endGroup(group);
    stop.addEventListener('abort', kill);
    const timer = setTimeout(() => {
      violations.push(`not done after ${scenario.deadlineMs} ms`);
      kill();
    }, scenario.deadlineMs + checkMs);
    await exited;
    clearTimeout(timer);
    stop.removeEventListener('abort', kill);
    if (stop.aborted) violations.push('interrupted');
    const said = resultOf(dir);
    if (said === null) violations.push('it ended without a result');
    else if ('error' in said) violations.push(said.error.split('\n')[0]!);
    else {
      result = said;
      violations.push(...said.violations);
    }
  } finally {
    endGroup(group);
    for (const step of [() => endLeftovers(dir), () => removeCages(join(dir, 'groups')), () => network?.remove()]) {
      try {
        await step();
      } catch (error) {
        // What is left over is for people to remove; the other steps, and runs, go on.
        violations.push(`not cleaned up: ${error instanceof Error ? error.message : error}`);
      }
    }
    if (violations.length === 0 || stop.aborted) rmSync(dir, { recursive: true, force: true });
  }
  const isKept = violations.length > 0 && !stop.aborted;
  return { name, seed, violations, result, kept: isKept ? dir : null };
}

/** Ends whatever is left of a process group. */
function endGroup(group: number | undefined): void {
  if (group === undefined) return;
  try {
    process.kill(-group, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function resultOf(dir: string): RunResult | { readonly error: string } | null {
  try {
    return JSON.parse(readFileSync(join(dir, 'result.json'), 'utf8')) as RunResult | { readonly error: string };
  } catch {
    return null;
  }
}
