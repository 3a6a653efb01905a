import { appendFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { RedisBackupStore, type RedisStoreOptions } from '@holdfast/backup-redis';
import type { BackupStore } from '@holdfast/engine';
import type { KafkaLog } from '@holdfast/stream-kafka';
import { freePorts } from '../../cluster/support/free-ports.ts';
import { KafkaService, type KafkaServiceOptions } from '../../services/kafka.ts';
import { type RedisConfig, RedisServer } from '../../services/redis-server.ts';
import type { Fire } from './scenario.ts';
import type { ChaosServices, OpenServices } from './services.ts';

type NodeSettings = ChaosServices['settings'];

/** The Redis of a run, whatever it is made of. */
export interface RedisSide {
  /** Group `redis` of the nodes' settings. */
  readonly settings: NodeSettings[string];
  readonly options: RedisStoreOptions;
  stop(): Promise<void>;
}

/** Notes a process for whoever cleans up. */
export type NotePid = (pid: number | undefined) => void;

export interface ServicesPlan {
  readonly kafka?: Omit<KafkaServiceOptions, 'dir'>;
  /** Settings of the single server; it keeps all that it has answered by default. */
  readonly redis?: RedisConfig;
  /** Another Redis than the single server. */
  readonly openRedis?: (dir: string, notePid: NotePid) => Promise<RedisSide>;
  /** Where servers listen, other than on 127.0.0.1. */
  readonly host?: string;
  /** Group `kafka` of the nodes' settings. */
  readonly kafkaSettings?: (brokers: readonly string[]) => NodeSettings[string];
  /** Called with both before any node starts. */
  readonly onOpened?: (services: KafkaAndRedis) => Promise<void>;
}

/** The feeder outlasts what a scenario does to brokers. */
const retryTimeMs = 180_000;
const keepsAll: RedisConfig = { appendonly: 'yes', appendfsync: 'always' };

/** A real Kafka and a real Redis for one run, in its folder. */
export class KafkaAndRedis implements ChaosServices {
  readonly kafka: KafkaService;
  readonly log: KafkaLog;
  readonly settings: NodeSettings;
  readonly env = { CHAOS_SERVICES: '1' };
  readonly #redis: RedisSide;
  readonly #notePid: NotePid;

  private constructor(kafka: KafkaService, log: KafkaLog, redis: RedisSide, settings: NodeSettings, notePid: NotePid) {
    this.kafka = kafka;
    this.log = log;
    this.settings = settings;
    this.#redis = redis;
    this.#notePid = notePid;
  }

  static opening(plan: ServicesPlan = {}): OpenServices {
    return async (dataDir) => {
      const dir = dirname(dataDir);
      const notePid: NotePid = (pid) => {
        if (pid !== undefined) appendFileSync(join(dir, 'pids'), `${pid}\n`);
      };
      const { host = '127.0.0.1', openRedis = singleRedis(plan.redis ?? keepsAll, host) } = plan;
      const kafka = await KafkaService.start({ host, ...plan.kafka, dir: join(dir, 'kafka') });
      for (const pid of kafka.pids) notePid(pid);
      const redis = await openRedis(join(dir, 'redis'), notePid);
      const log = await kafka.open({ limits: { retryTimeMs } });
      const group = plan.kafkaSettings?.(kafka.plain) ?? { brokers: kafka.plain };
      const settings = { log: { kind: 'kafka' }, kafka: group, store: { kind: 'redis' }, redis: redis.settings };
      const services = new KafkaAndRedis(kafka, log, redis, settings, notePid);
      await plan.onOpened?.(services);
      return services;
    };
  }

  /** Those of a scenario that asked for them. */
  static of({ cluster }: Pick<Fire, 'cluster'>): KafkaAndRedis {
    if (cluster.services instanceof KafkaAndRedis) return cluster.services;
    throw new Error('this scenario runs on Kafka and Redis');
  }

  /** The single server. */
  get redis(): SingleRedis {
    if (this.#redis instanceof SingleRedis) return this.#redis;
    throw new Error('this Redis is no single server');
  }

  /** As its scenario has made it. */
  redisSide<T extends RedisSide>(kind: abstract new (...args: never[]) => T): T {
    if (this.#redis instanceof kind) return this.#redis;
    throw new Error(`this Redis is no ${kind.name}`);
  }

  openStore(): Promise<BackupStore> {
    return RedisBackupStore.open(this.#redis.options);
  }

  /** Starts a broker that was stopped; resolves when all that run are known. */
  async startBroker(nodeId: number): Promise<void> {
    this.kafka.startBroker(nodeId);
    for (const pid of this.kafka.pids) this.#notePid(pid);
    await this.kafka.ready();
  }

  async dispose(): Promise<void> {
    await this.log.close();
    await this.#redis.stop();
    await this.kafka.stop();
  }
}

/** One server. */
export class SingleRedis implements RedisSide {
  readonly server: RedisServer;
  readonly settings: NodeSettings[string];
  readonly options: RedisStoreOptions;
  readonly #notePid: NotePid;

  constructor(server: RedisServer, address: string, notePid: NotePid) {
    this.server = server;
    this.#notePid = notePid;
    const url = `redis://${address}`;
    this.settings = { url };
    this.options = { url };
  }

  /** Also again, on the data it has. */
  async start(changes: RedisConfig = {}): Promise<void> {
    await this.server.start(changes);
    this.#notePid(this.server.pid);
  }

  async stop(): Promise<void> {
    await this.server.stop();
  }

  cli(...args: string[]): Promise<string> {
    return this.server.cli(...args);
  }
}

function singleRedis(config: RedisConfig, host: string): NonNullable<ServicesPlan['openRedis']> {
  return async (dir, notePid) => {
    const [port] = await freePorts(1);
    // Redis refuses whoever isn't local, unless that is meant: here the network is the run's own.
    const open = host === '127.0.0.1' ? {} : { bind: `127.0.0.1 ${host}`, 'protected-mode': 'no' };
    const redis = new SingleRedis(new RedisServer(port!, dir, { ...config, ...open }), `${host}:${port}`, notePid);
    await redis.start();
    return redis;
  };
}
