import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../../../packages/cli/src/main.ts', import.meta.url));

/** How a node is started, beyond its configuration. */
export interface Launch {
  /** A program that becomes the node's, with its arguments: the process stays the same. */
  readonly through?: readonly string[];
  /** Further arguments of Node.js itself. */
  readonly nodeArgs?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** A real node process of the shipped program, killed and stopped by pid. */
export class NodeProcess {
  readonly id: string;
  readonly configPath: string;
  readonly logPath: string;
  readonly #launch: Launch;
  #child: ChildProcess | null = null;

  constructor(id: string, configPath: string, logPath: string, launch: Launch = {}) {
    this.id = id;
    this.configPath = configPath;
    this.logPath = logPath;
    this.#launch = launch;
  }

  get running(): boolean {
    return this.#child !== null && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** The signal that ended it; null: none. */
  get signalCode(): NodeJS.Signals | null {
    return this.#child?.signalCode ?? null;
  }

  /** How it ended; null while it runs, and when a signal ended it. */
  get exitCode(): number | null {
    return this.#child?.exitCode ?? null;
  }

  /** All that it has written in all its lives. */
  get output(): string {
    return existsSync(this.logPath) ? readFileSync(this.logPath, 'utf8') : '';
  }

  /** @param nodeArgs further arguments of Node.js itself */
  start(nodeArgs: readonly string[] = []): void {
    if (this.running) throw new Error(`${this.id} runs already`);
    const log = openSync(this.logPath, 'a');
    const { through = [], nodeArgs: always = [], env: own = {} } = this.#launch;
    const node = [process.execPath, ...always, ...nodeArgs, '--conditions=source', main, 'node'];
    const [program, ...args] = [...through, ...node, '--config', this.configPath];
    // Variables of that prefix are settings of the node; those of the test are none.
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('HOLDFAST_')));
    this.#child = spawn(program!, args, { stdio: ['ignore', log, log], env: { ...env, ...own } });
    closeSync(log);
  }

  /** Sends a signal; with SIGKILL and SIGTERM, resolves once the process is gone. */
  async signal(name: 'SIGKILL' | 'SIGTERM' | 'SIGSTOP' | 'SIGCONT'): Promise<number | null> {
    const child = this.#child;
    if (child === null || !this.running) return null;
    const gone = name === 'SIGKILL' || name === 'SIGTERM' ? once(child, 'exit') : null;
    child.kill(name);
    if (gone !== null) await gone;
    return child.exitCode;
  }
}
