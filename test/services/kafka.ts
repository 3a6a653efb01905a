import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { silentLogger } from '@holdfast/model';
import { KafkaLog, type KafkaOptions } from '@holdfast/stream-kafka';
import { freePorts } from '../cluster/support/free-ports.ts';
import { waitFor } from '../cluster/support/wait.ts';
import { makeCertificates } from './support/certificates.ts';
import { kafkaJars, kafkaVersions } from './support/kafka-jars.ts';
import { type BrokerPorts, kafkaUser, serverProperties } from './support/kafka-settings.ts';

export interface KafkaServiceOptions {
  readonly version?: string;
  /** 1 or 3. */
  readonly brokers?: number;
  /** Listeners with SASL, and with SASL over TLS, beside the plain one. */
  readonly secure?: boolean;
  /** Where they listen; 127.0.0.1. */
  readonly host?: string;
  /** A folder for all of it, which is left to its owner; a temporary one. */
  readonly dir?: string;
  /** Further settings of all brokers. */
  readonly configs?: Readonly<Record<string, string>>;
}

/** A broker that recovers on a busy machine takes long. */
const readyMs = 180_000;
const stopMs = 20_000;

/** What a `KafkaLog` needs of its process. */
export const testEnvironment = {
  clock: { monotonicMs: () => performance.now(), wallUnixMs: () => Date.now() },
  logger: silentLogger,
};

/**
 * A real Kafka (KRaft) of one or three brokers: free ports on 127.0.0.1, data in a temporary folder, and nothing left
 * of it after `stop`.
 */
export class KafkaService {
  readonly version: string;
  readonly dir: string;
  /** Who signed the certificate of the TLS listener. */
  readonly caFile: string | null;
  readonly #jars: string;
  readonly #ports: readonly BrokerPorts[];
  readonly #processes: (ChildProcess | null)[];
  readonly #host: string;
  readonly #isOwnDir: boolean;

  private constructor(
    version: string,
    dir: string,
    caFile: string | null,
    jars: string,
    ports: BrokerPorts[],
    { host = '127.0.0.1', dir: given }: KafkaServiceOptions,
  ) {
    this.version = version;
    this.dir = dir;
    this.caFile = caFile;
    this.#jars = jars;
    this.#host = host;
    this.#isOwnDir = given === undefined;
    this.#ports = ports;
    this.#processes = ports.map(() => null);
  }

  /** Resolves when Metadata lists all brokers. */
  static async start(options: KafkaServiceOptions = {}): Promise<KafkaService> {
    const { version = process.env.HOLDFAST_TEST_KAFKA ?? kafkaVersions[0], brokers = 1, configs = {} } = options;
    const jars = await kafkaJars(version);
    const dir = options.dir ?? mkdtempSync(join(tmpdir(), 'holdfast-kafka-'));
    mkdirSync(dir, { recursive: true });
    const free = await freePorts(brokers * 4);
    const ports = Array.from({ length: brokers }, (_, i): BrokerPorts => {
      const [plain, controller, sasl, secure] = free.slice(i * 4, i * 4 + 4) as [number, number, number, number];
      return { plain, controller, sasl, secure };
    });
    const certificates = options.secure ? makeCertificates(dir, 'brokers') : null;
    const service = new KafkaService(version, dir, certificates?.caFile ?? null, jars, ports, options);
    try {
      const clusterId = (await service.run('kafka.tools.StorageTool', ['random-uuid'])).trim().split('\n').at(-1)!;
      for (let nodeId = 1; nodeId <= brokers; nodeId++) {
        const dataDir = join(dir, `broker-${nodeId}`);
        mkdirSync(dataDir);
        const keystore = certificates?.keystore ?? null;
        writeFileSync(
          service.#file(nodeId),
          serverProperties({ nodeId, all: ports, host: service.#host, dataDir, keystore, configs }),
        );
        const { username, password } = kafkaUser;
        const scram = ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap((mechanism) => [
          '--add-scram',
          `${mechanism}=[name=${username},password=${password}]`,
        ]);
        const format = ['format', '-t', clusterId, '-c', service.#file(nodeId)];
        await service.run('kafka.tools.StorageTool', [...format, ...(keystore === null ? [] : scram)]);
      }
      for (let nodeId = 1; nodeId <= brokers; nodeId++) service.startBroker(nodeId);
      await service.ready();
      return service;
    } catch (error) {
      await service.stop();
      throw error;
    }
  }

  get plain(): string[] {
    return this.#ports.map(({ plain }) => `${this.#host}:${plain}`);
  }

  /** Of the first broker's plain listener. */
  get port(): number {
    return this.#ports[0]!.plain;
  }

  get sasl(): string[] {
    return this.#ports.map(({ sasl }) => `${this.#host}:${sasl}`);
  }

  get secure(): string[] {
    return this.#ports.map(({ secure }) => `${this.#host}:${secure}`);
  }

  /** Of the brokers that run. */
  get pids(): number[] {
    return this.#processes.flatMap((child) => child?.pid ?? []);
  }

  /** The caller closes it. */
  open(options: Partial<KafkaOptions> = {}): Promise<KafkaLog> {
    return KafkaLog.open({ brokers: this.plain, ...options }, testEnvironment);
  }

  /** Node ids count from 1. */
  startBroker(nodeId: number): void {
    const out = openSync(join(this.dir, `broker-${nodeId}.out`), 'a');
    const heap = ['-Xms128m', '-Xmx256m', '-XX:+UseSerialGC'];
    const args = [...heap, '-cp', join(this.#jars, '*'), 'kafka.Kafka', this.#file(nodeId)];
    const child = spawn('java', args, { stdio: ['ignore', out, out], cwd: this.dir });
    this.#processes[nodeId - 1] = child;
  }

  /** SIGTERM hands leaders over first; SIGKILL doesn't. Resolves when the process is gone. */
  async stopBroker(nodeId: number, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const child = this.#processes[nodeId - 1];
    this.#processes[nodeId - 1] = null;
    if (child == null || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    const timer = setTimeout(() => child.kill('SIGKILL'), stopMs);
    await gone;
    clearTimeout(timer);
  }

  /** Resolves when Metadata lists as many brokers as run. */
  async ready(): Promise<void> {
    const running = this.#processes.filter((child) => child !== null).length;
    try {
      await waitFor(`${running} brokers`, readyMs, async () => {
        const dead = this.#processes.find((child) => child !== null && child.exitCode !== null);
        if (dead) throw new Error(`a broker ended with code ${dead.exitCode}`);
        const log = await this.open({ limits: { retryTimeMs: 1 } }).catch(() => null);
        if (log === null) return null;
        try {
          return (await log.brokers()).length >= running || null;
        } catch {
          return null;
        } finally {
          await log.close();
        }
      });
    } catch (cause) {
      const tails = this.#ports.map((_, i) => this.#tail(i + 1)).join('\n');
      throw new Error(`Kafka ${this.version} did not start:\n${tails}`, { cause });
    }
  }

  /** Runs one of Kafka's own tools; its output. */
  async run(mainClass: string, args: readonly string[], input = ''): Promise<string> {
    const running = promisify(execFile)('java', ['-Xmx128m', '-cp', join(this.#jars, '*'), mainClass, ...args], {
      cwd: this.dir,
      maxBuffer: 16 * 1024 * 1024,
    });
    running.child.stdin?.end(input);
    return (await running).stdout;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#ports.map((_, i) => this.stopBroker(i + 1, 'SIGKILL')));
    if (this.#isOwnDir) rmSync(this.dir, { recursive: true, force: true });
  }

  #file(nodeId: number): string {
    return join(this.dir, `broker-${nodeId}.properties`);
  }

  #tail(nodeId: number): string {
    try {
      return readFileSync(join(this.dir, `broker-${nodeId}.out`), 'utf8').slice(-2_000);
    } catch {
      return '';
    }
  }
}

/** `node --conditions=source test/services/kafka.ts [--version V] [--brokers 1|3] [--secure]`: runs until it is stopped. */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      version: { type: 'string', default: kafkaVersions[0] },
      brokers: { type: 'string', default: '1' },
      secure: { type: 'boolean', default: false },
    },
  });
  const { version, secure } = values;
  const service = await KafkaService.start({ version, secure, brokers: Number(values.brokers) });
  console.log(`Kafka ${version} listens on ${service.plain.join(',')}`);
  if (secure) console.log(`SASL ${service.sasl}; SASL over TLS ${service.secure} (authority: ${service.caFile})`);
  const stop = () => void service.stop().then(() => process.exit(0));
  process.once('SIGINT', stop).once('SIGTERM', stop);
}

if (process.argv[1] === import.meta.filename) await main();
