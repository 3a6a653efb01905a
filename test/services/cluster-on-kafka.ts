import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ExportedUser, recount } from '@holdfast/access-anomaly';
import type { StatusDocument } from '@holdfast/node';
import type { KafkaLog } from '@holdfast/stream-kafka';
import { inputTopic } from '../cluster/support/cluster.ts';
import { holdfast } from '../cluster/support/holdfast.ts';
import { NodeProcess } from '../cluster/support/node-process.ts';
import { newPeers } from '../cluster/support/peers.ts';
import { rawRecords } from '../cluster/support/raw-records.ts';
import { StatusAsker } from '../cluster/support/status-asker.ts';
import { waitFor } from '../cluster/support/wait.ts';
import { KafkaService } from './kafka.ts';
import { type RedisServer, serviceFolder, startRedis } from './redis-server.ts';

const group = 'access-anomaly';
const exportTimeout = '60s';

export interface OnKafkaSettings {
  /** 3 */
  readonly nodes?: number;
  readonly partitions: number;
  readonly backupInterval: string;
}

interface Services {
  readonly kafka: KafkaService;
  readonly log: KafkaLog;
  readonly redis: RedisServer;
}

/** All of them, or none is left. */
async function startServices(dir: string): Promise<Services> {
  const kafka = await KafkaService.start();
  try {
    const redis = await startRedis(dir, { appendonly: 'yes' });
    return { kafka, redis, log: await kafka.open() };
  } catch (error) {
    await kafka.stop();
    throw error;
  }
}

/** Node processes, each with a data folder of its own, on a real Kafka and a real Redis. */
export class ClusterOnKafka {
  readonly nodes: readonly NodeProcess[];
  readonly kafka: KafkaService;
  /** For feeding; the nodes have connections of their own. */
  readonly log: KafkaLog;
  readonly redis: RedisServer;
  readonly #addresses: readonly string[];
  readonly #folder: ReturnType<typeof serviceFolder>;
  readonly #asker: StatusAsker;

  private constructor(
    nodes: readonly NodeProcess[],
    addresses: readonly string[],
    services: Services,
    folder: ReturnType<typeof serviceFolder>,
  ) {
    this.nodes = nodes;
    this.kafka = services.kafka;
    this.log = services.log;
    this.#addresses = addresses;
    this.redis = services.redis;
    this.#folder = folder;
    this.#asker = new StatusAsker(nodes, addresses);
  }

  get dir(): string {
    return this.#folder.dir;
  }

  /** Services run, and nodes don't yet: they create the topics at their start. */
  static async create({ nodes: count = 3, partitions, backupInterval }: OnKafkaSettings): Promise<ClusterOnKafka> {
    const folder = serviceFolder('on-kafka');
    const services = await startServices(folder.dir).catch((error: unknown) => {
      folder.remove();
      throw error;
    });
    const { kafka, redis } = services;
    const peers = await newPeers(count);
    const nodes = peers.map(({ id, address, gossip }) => {
      const dir = join(folder.dir, id);
      mkdirSync(dir);
      const config = {
        node: { id },
        cluster: { name: 'test', peers },
        data: join(dir, 'data'),
        listen: { control: address, gossip, shards: '127.0.0.1:0', http: 'off' },
        shards: 1,
        backup: { interval: backupInterval },
        log: { kind: 'kafka' },
        kafka: { brokers: kafka.plain, partitions },
        store: { kind: 'redis' },
        redis: { url: `redis://${redis.address}` },
      };
      writeFileSync(join(dir, 'node.json'), JSON.stringify(config));
      return new NodeProcess(id, join(dir, 'node.json'), join(dir, 'node.log'));
    });
    const addresses = peers.map(({ address }) => address);
    return new ClusterOnKafka(nodes, addresses, services, folder);
  }

  status(timeoutMs?: number): Promise<StatusDocument | null> {
    return this.#asker.status(timeoutMs);
  }

  /** Every node has a session, and somebody reads each partition. */
  async healthy(): Promise<void> {
    await waitFor('nodes with sessions', 180_000, async () => {
      const status = await this.status();
      if (status?.cluster.leader == null) return null;
      return status.nodes.every((node) => node.reachable && node.session.id !== null) || null;
    });
  }

  async waitUntilCommitted(deadlineMs: number): Promise<void> {
    const lags = async () => (await this.log.lag(group, inputTopic)).every(({ lag }) => lag === 0) || null;
    await waitFor('every record to be committed', deadlineMs, lags, 500);
  }

  /** Committed and end offsets per partition, as Kafka's own tool tells them of the job's group. */
  async offsetsByTool(): Promise<{ partition: number; committed: number; end: number }[]> {
    const tool = 'org.apache.kafka.tools.consumer.group.ConsumerGroupCommand';
    const args = ['--bootstrap-server', this.kafka.plain.join(','), '--describe', '--offsets', '--group', group];
    const lines = (await this.kafka.run(tool, args)).split('\n').filter((line) => line.startsWith(`${group} `));
    return lines.map((line) => {
      const [, , partition, committed, end] = line.trim().split(/\s+/).map(Number);
      return { partition: partition!, committed: committed!, end: end! };
    });
  }

  /** What `holdfast export --addr` prints. */
  async exported(): Promise<ExportedUser[]> {
    const running = this.#addresses.filter((_, i) => this.nodes[i]!.running).join(',');
    const { code, stdout, stderr } = await holdfast(['export', '--addr', running, '--timeout', exportTimeout]);
    if (code !== 0) throw new Error(`export ended with code ${code}: ${stderr}`);
    return stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as ExportedUser);
  }

  /** The independent recomputation, from the records as kafkajs reads them. */
  async recounted(): Promise<ReturnType<typeof recount>> {
    const log = await this.kafka.open({ client: 'kafkajs' });
    try {
      return recount('holdfast', await rawRecords(log, inputTopic));
    } finally {
      await log.close();
    }
  }

  /** Ends what was started here. */
  async dispose(keep: boolean): Promise<void> {
    this.#asker.close();
    for (const node of this.nodes) await node.signal('SIGKILL');
    await this.log.close();
    await this.redis.stop();
    await this.kafka.stop();
    if (!keep) this.#folder.remove();
  }
}
