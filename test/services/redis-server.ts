import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePorts } from '../cluster/support/free-ports.ts';
import { waitFor } from '../cluster/support/wait.ts';
import { redisBinaries } from './redis-binaries.ts';

const execute = promisify(execFile);
const startDeadlineMs = 20_000;

/** Lines of a redis.conf: name and value. */
export type RedisConfig = Readonly<Record<string, string>>;

/** A folder for servers of one test: data, logs, configuration. */
export function serviceFolder(name: string): { readonly dir: string; remove(): void } {
  const dir = mkdtempSync(join(tmpdir(), `holdfast-${name}-`));
  return { dir, remove: () => rmSync(dir, { recursive: true, force: true }) };
}

/** One redis-server of this machine, on 127.0.0.1, with its data in a folder of its own. Also a Sentinel. */
export class RedisServer {
  readonly port: number;
  readonly dir: string;
  #config: RedisConfig;
  readonly #extra: readonly string[];
  #process: ChildProcess | null = null;
  #log = '';

  /** @param extra lines of the configuration file that may occur more than once */
  constructor(port: number, dir: string, config: RedisConfig = {}, extra: readonly string[] = []) {
    this.port = port;
    this.dir = dir;
    this.#config = config;
    this.#extra = extra;
    mkdirSync(dir, { recursive: true });
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  get log(): string {
    return this.#log;
  }

  /** Starts it, or starts it again with the same data; resolves when it answers. `changes` stay in force. */
  async start(changes: RedisConfig = {}, asSentinel = false): Promise<void> {
    this.#config = { ...this.#config, ...changes };
    const settings: Record<string, string> = {
      port: String(this.port),
      bind: '127.0.0.1',
      dir: this.dir,
      save: '""',
      appendonly: 'no',
      // Kept short: a fork per rewrite costs more than it saves here.
      'auto-aof-rewrite-percentage': '0',
      ...this.#config,
    };
    const file = join(this.dir, 'server.conf');
    const lines = Object.entries(settings)
      .filter(([name]) => !(asSentinel && ['save', 'appendonly', 'auto-aof-rewrite-percentage'].includes(name)))
      .map(([name, value]) => `${name} ${value}`);
    writeFileSync(file, [...lines, ...this.#extra, ''].join('\n'));
    const child = spawn(redisBinaries().server, [file, ...(asSentinel ? ['--sentinel'] : [])], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const keep = (text: string) => {
      this.#log = (this.#log + text).slice(-20_000);
    };
    child.stdout.setEncoding('utf8').on('data', keep);
    child.stderr.setEncoding('utf8').on('data', keep);
    this.#process = child;
    await waitFor(
      `redis-server on ${this.port}`,
      startDeadlineMs,
      async () => {
        if (child.exitCode !== null) throw new Error(`redis-server on ${this.port} ended:\n${this.#log}`);
        const answer = await this.cli('PING').catch((error: Error) => error.message);
        return /PONG|NOAUTH|NOPERM/.test(answer) ? true : null;
      },
      50,
    );
  }

  /** Commands, one a line, in one go. */
  async pipe(lines: readonly string[]): Promise<void> {
    const child = execFile(redisBinaries().cli, ['-e', '-h', '127.0.0.1', '-p', String(this.port)]);
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
    child.stdin?.end(lines.map((line) => `${line}\n`).join(''));
    if ((await ended) !== 0) throw new Error(`redis-cli failed on ${this.address}`);
  }

  /** What redis-cli prints. Rejects when the server answers with an error. */
  async cli(...args: string[]): Promise<string> {
    const tls = this.#config['tls-ca-cert-file'];
    const secure = tls === undefined ? [] : ['--tls', '--cacert', tls];
    const port = tls === undefined ? this.port : Number(this.#config['tls-port']);
    const all = ['-e', '-h', '127.0.0.1', '-p', String(port), ...secure, ...args];
    const { stdout } = await execute(redisBinaries().cli, all, { timeout: 10_000 });
    return stdout.trim();
  }

  signal(name: NodeJS.Signals): void {
    this.#process?.kill(name);
  }

  /** Ends it and resolves when it is gone; SIGKILL as a crash does. */
  async stop(name: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const child = this.#process;
    if (child === null) return;
    this.#process = null;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill(name);
    child.kill('SIGCONT');
    await ended;
  }
}

/** A single server on a free port. */
export async function startRedis(dir: string, config: RedisConfig = {}): Promise<RedisServer> {
  const [port] = await freePorts(1);
  const server = new RedisServer(port!, join(dir, `server-${port}`), config);
  await server.start();
  return server;
}

/** Until the replica has all that the master has taken. (WAIT waits for what its own connection has written.) */
export async function caughtUp(replica: RedisServer, master: RedisServer): Promise<void> {
  await waitFor('the replica to catch up', startDeadlineMs, async () => {
    const written = /master_repl_offset:(\d+)/.exec(await master.cli('INFO', 'replication'))?.[1];
    const copied = /slave_repl_offset:(\d+)/.exec(await replica.cli('INFO', 'replication'))?.[1];
    return written !== undefined && written === copied ? true : null;
  });
}
