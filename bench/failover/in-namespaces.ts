import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ChaosNetwork } from '../../test/chaos/network/chaos-network.ts';
import type { Figure } from '../run.ts';

const child = fileURLToPath(new URL('./partition-child.ts', import.meta.url));
const nodes = 3;

/** Measures partitions in a process that sees the nodes' namespaces; takes all of them away, however it ends. */
export async function inNamespaces(): Promise<Figure[]> {
  const missing = ChaosNetwork.missing();
  if (missing !== null) {
    console.error(`!! partitions are SKIPPED: ${missing}`);
    return [];
  }
  const dir = mkdtempSync(join(tmpdir(), 'holdfast-bench-'));
  const figuresPath = join(dir, 'figures.json');
  const network = new ChaosNetwork(`hfb${process.pid.toString(36)}`, nodes);
  try {
    network.create();
    const command = [process.execPath, '--conditions=source', child, network.tag, figuresPath];
    const [program, ...args] = [...network.throughHub(), ...command];
    // A group of its own: Ctrl-C is for this process, which then cleans up.
    const running = spawn(program!, args, { stdio: ['ignore', 'inherit', 'inherit'], detached: true });
    const kill = (): void => void running.kill('SIGKILL');
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, kill);
    const [code] = (await once(running, 'exit')) as [number | null];
    if (code !== 0) throw new Error(`partitions could not be measured: the process ended with ${code ?? 'a signal'}`);
    return JSON.parse(readFileSync(figuresPath, 'utf8')) as Figure[];
  } finally {
    for (const pid of network.pids()) process.kill(pid, 'SIGKILL');
    network.remove();
    rmSync(dir, { recursive: true, force: true });
  }
}
