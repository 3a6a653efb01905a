import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { DevNode } from './node-files.ts';

/** Restarts wait so long at first, and twice as long each time, up to the second figure. */
const backoffMsMin = 500;
const backoffMsMax = 10_000;
/** A node that ran so long starts at the least backoff again. */
const settledMs = 30_000;
/** A predecessor that a killed supervisor left behind may still drain. */
const predecessorWaitMs = 30_000;
const tailBytes = 16_384;
/** The cluster has no place for it any more, or not on this folder: it would end so each time. */
const finalCodes: ReadonlySet<string> = new Set(['REMOVED', 'NODE_ID_TAKEN', 'SUPERSEDED']);

export interface ChildEvents {
  /** For people: what happened to the node, and what comes next. */
  note(text: string): void;
  /** It can't start, and trying again won't help. */
  hopeless(text: string): void;
  /** It has ended for good, and the others go on. */
  over(): void;
}

/** One node process, started again when it fails. */
export class ChildNode {
  readonly node: DevNode;
  readonly #events: ChildEvents;
  readonly #env: NodeJS.ProcessEnv;
  #child: ChildProcess | null = null;
  #timer: NodeJS.Timeout | null = null;
  #stopping = false;
  #everReady = false;
  #backoffMs = backoffMsMin;
  #startedMs = 0;
  readonly #firstStartMs = performance.now();
  #onGone: (() => void) | null = null;
  restarts = 0;
  /** It was taken out of the cluster, or asked to stop by somebody else: it isn't started again. */
  over = false;

  constructor(node: DevNode, env: Readonly<Record<string, string | undefined>>, events: ChildEvents) {
    this.node = node;
    this.#events = events;
    // A HOLDFAST_ variable of the user's would override what makes the nodes different.
    this.#env = Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('HOLDFAST_')));
    this.#env.HOLDFAST_SUPERVISED = '1';
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** The status shows it: from now on a start that fails is a crash, not a mistake. */
  ready(): void {
    this.#everReady = true;
  }

  start(): void {
    if (this.over) return;
    const log = this.#openLog();
    if (log === null) return;
    const here = fileURLToPath(import.meta.url);
    const main = join(dirname(here), '..', here.endsWith('.ts') ? 'main.ts' : 'main.js');
    const args = [...process.execArgv, main, 'node', '--config', this.node.configPath];
    this.#startedMs = performance.now();
    this.#stopping = false;
    // The pipe ends with this process, however that ends: then the node drains.
    const child = spawn(process.execPath, args, { stdio: ['pipe', log, log], env: this.#env });
    closeSync(log);
    this.#child = child;
    child.stdin?.on('error', () => undefined);
    child.on('error', (error) => this.#notStarted(child, error));
    child.once('exit', (code, signal) => this.#gone(code, signal));
  }

  /** Null: it is given up. Without its log nobody would learn how it ends. */
  #openLog(): number | null {
    try {
      return openSync(this.node.logPath, 'a');
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      const what = code === 'ENOENT' ? `the folder ${dirname(this.node.logPath)} is gone` : message;
      this.#events.hopeless(`${this.node.id} can't be started, since its log can't be written: ${what}`);
      return null;
    }
  }

  /** Drains it. Resolves once it is gone; kills it when it takes longer than the deadline. */
  async stop(deadlineMs: number): Promise<void> {
    this.#stopping = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    const child = this.#child;
    if (child === null) return;
    const gone = new Promise<void>((resolve) => {
      this.#onGone = resolve;
    });
    child.kill('SIGTERM');
    const late = setTimeout(() => {
      this.#events.note(`${this.node.id} (process ${child.pid}) did not stop within ${deadlineMs / 1000}s; killing it`);
      child.kill('SIGKILL');
    }, deadlineMs);
    await gone;
    clearTimeout(late);
  }

  kill(): void {
    this.#stopping = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#child?.kill('SIGKILL');
  }

  /** There is no process then, and no exit will be told. */
  #notStarted({ pid }: ChildProcess, error: Error): void {
    if (pid !== undefined) {
      this.#events.note(`${this.node.id} (process ${pid}): ${error.message}`);
      return;
    }
    this.#child = null;
    if (this.#stopping) this.#onGone?.();
    else this.#events.hopeless(`${this.node.id} can't be started: ${error.message}`);
  }

  #gone(code: number | null, signal: NodeJS.Signals | null): void {
    this.#child = null;
    if (this.#stopping) {
      this.#onGone?.();
      return;
    }
    const error = code === 0 ? null : lastError(this.node.logPath);
    const reason = error?.text ?? null;
    const how = signal ?? `exit ${code}`;
    const why = reason === null ? '' : `: ${reason}`;
    if (code === 0 || (signal === null && error !== null && finalCodes.has(error.code))) {
      this.over = true;
      this.#events.note(`${this.node.id} ended (${how})${why}; it is not started again`);
      this.#events.over();
      return;
    }
    const ranMs = performance.now() - this.#startedMs;
    const predecessor = reason !== null && /in use by (another )?process/.test(reason);
    const waitsForOld = predecessor && performance.now() - this.#firstStartMs < predecessorWaitMs;
    if (signal === null && !this.#everReady && !waitsForOld) {
      this.#events.hopeless(reason ?? `${this.node.id} ended with ${how}; see ${this.node.logPath}`);
      return;
    }
    if (ranMs > settledMs) this.#backoffMs = backoffMsMin;
    this.#events.note(`${this.node.id} ended (${how})${why}; starting it again in ${this.#backoffMs / 1000}s`);
    this.restarts++;
    this.#timer = setTimeout(() => this.start(), this.#backoffMs);
    this.#backoffMs = Math.min(this.#backoffMs * 2, backoffMsMax);
  }
}

function tailOf(path: string): string {
  const size = statSync(path).size;
  const tail = Buffer.alloc(Math.min(size, tailBytes));
  const file = openSync(path, 'r');
  readSync(file, tail, 0, tail.length, size - tail.length);
  closeSync(file);
  return tail.toString('utf8');
}

/** The error document that a node ends with; null when its log ends otherwise, or was taken away. */
function lastError(path: string): { readonly code: string; readonly text: string } | null {
  try {
    const line = tailOf(path).trimEnd().split('\n').at(-1) ?? '';
    if (!line.startsWith('{"schema":"holdfast/error/v1"')) return null;
    return JSON.parse(line) as { code: string; text: string };
  } catch {
    return null;
  }
}
