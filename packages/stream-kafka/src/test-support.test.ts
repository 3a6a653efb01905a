import assert from 'node:assert/strict';
import { createServer, type Server, type Socket } from 'node:net';
import { type LogFields, type Logger, silentLogger } from '@holdfast/model';
import { createTopics, deleteTopics } from './apis/create-topics.ts';
import { fetch } from './apis/fetch.ts';
import { findCoordinator } from './apis/find-coordinator.ts';
import { initProducerId } from './apis/init-producer-id.ts';
import { listOffsets } from './apis/list-offsets.ts';
import { type BrokerAddress, metadata, type PartitionMetadata } from './apis/metadata.ts';
import { offsetCommit } from './apis/offset-commit.ts';
import { offsetFetch } from './apis/offset-fetch.ts';
import { produce } from './apis/produce.ts';
import { saslAuthenticate, saslHandshake } from './apis/sasl.ts';
import { KafkaCluster } from './cluster.ts';
import { compileKafkaOptions, type KafkaLimits, type KafkaOptions } from './options.ts';
import { AnswerAssembler } from './wire/answer-assembler.ts';
import { WireReader } from './wire/wire-reader.ts';
import { WireWriter } from './wire/wire-writer.ts';

const apiVersionsKey = 18;
const authenticationFailed = 58;
const asked = [metadata, fetch, produce, initProducerId, findCoordinator, offsetCommit, createTopics, listOffsets];
/** What the adapter wants to see, and no stand-in answers. */
const unanswered = [offsetFetch, deleteTopics];

/** Kinds of requests whose headers have no optional fields. */
const tagless: ReadonlySet<number> = new Set([apiVersionsKey, saslHandshake.key]);

/** What one broker believes, and says when asked. */
export interface Belief {
  readonly brokers?: readonly BrokerAddress[];
  /** Of every group; the broker itself without. */
  readonly coordinator?: BrokerAddress;
  readonly topicError?: number;
  readonly topicId: Buffer;
  readonly partition: PartitionMetadata;
}

/** A produce request. */
export interface Produced {
  readonly batch: Buffer;
  readonly timeoutMs: number;
}

/**
 * A stand-in for a broker, on a free port: one topic of one partition, in the versions that the adapter speaks. What it
 * says is set by the test.
 */
export class StandInBroker {
  readonly nodeId: number;
  belief: Belief;
  /** Record batches of the next fetch; then there is nothing again. */
  records: Buffer = Buffer.alloc(0);
  fetchError = 0;
  fetches = 0;
  /** Before each is answered. */
  onFetch: () => void = () => undefined;
  onSearch: () => void = () => undefined;
  onProduce: () => void = () => undefined;
  /** Connections that fetched. */
  readonly fetchers = new Set<Socket>();
  lookups = 0;
  /** That asked here for an id; each gets one of its own. */
  producers = 0;
  /** Requests for offsets of the one partition to be committed. */
  commits = 0;
  /** What each authentication sent. */
  readonly secrets: string[] = [];
  isRefused: (secret: string) => boolean = () => false;
  /** Requests to create a topic, and what each is answered. */
  creations = 0;
  createError = 0;
  onCreate: () => void = () => undefined;
  /** What is told of offsets, by partition, whoever asks for which. */
  offsets: readonly (readonly [partition: number, offset: number])[] = [];
  onOffsets: () => void = () => undefined;
  readonly produced: Produced[] = [];
  /** Null: none comes. */
  produceAnswer: { readonly error: number; readonly message: string | null } | null = { error: 0, message: null };
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(nodeId: number, belief: Belief) {
    this.nodeId = nodeId;
    this.belief = belief;
    this.#server = createServer((socket) => this.#serve(socket));
  }

  static async start(nodeId: number, belief: Belief): Promise<StandInBroker> {
    const broker = new StandInBroker(nodeId, belief);
    await new Promise<void>((resolve) => broker.#server.listen(0, '127.0.0.1', resolve));
    return broker;
  }

  get address(): BrokerAddress {
    return { nodeId: this.nodeId, host: '127.0.0.1', port: (this.#server.address() as { port: number }).port };
  }

  stop(): void {
    this.#server.close();
    this.hangUp();
  }

  /** Breaks all connections. */
  hangUp(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => {});
    const requests = new AnswerAssembler(1 << 20, (request) => {
      const reader = new WireReader(request);
      const key = reader.int16();
      reader.int16();
      const correlation = reader.int32();
      reader.string();
      if (!tagless.has(key)) reader.tags();
      const writer = new WireWriter().int32(0).int32(correlation);
      if (!tagless.has(key)) writer.tags();
      if (!this.#answer(key, socket, reader, writer)) return;
      socket.write(writer.patchInt32(0, writer.length - 4).finish());
    });
    socket.on('data', (piece: Buffer) => requests.push(piece));
  }

  /** False: nothing is answered. */
  #answer(key: number, socket: Socket, reader: WireReader, writer: WireWriter): boolean {
    if (key === apiVersionsKey) answerVersions(writer);
    else if (key === saslHandshake.key) writer.int16(0).int32(0);
    else if (key === saslAuthenticate.key) this.#answerSecret(reader, writer);
    else if (key === metadata.key) this.#answerMetadata(reader, writer);
    else if (key === initProducerId.key)
      writer
        .int32(0)
        .int16(0)
        .int64(1_000 * this.nodeId + ++this.producers)
        .int16(0)
        .tags();
    else if (key === produce.key) return this.#answerProduce(reader, writer);
    else if (key === findCoordinator.key) this.#answerCoordinator(writer);
    else if (key === offsetCommit.key) this.#answerCommit(writer);
    else if (key === fetch.key) this.#answerFetch(socket, writer);
    else if (key === createTopics.key) this.#answerCreate(writer);
    else if (key === listOffsets.key) this.#answerOffsets(writer);
    else throw new Error(`a stand-in for a broker doesn't answer requests of kind ${key}`);
    return true;
  }

  #answerSecret(reader: WireReader, writer: WireWriter): void {
    const secret = String(reader.compactBytes());
    this.secrets.push(secret);
    const isRefused = this.isRefused(secret);
    writer.int16(isRefused ? authenticationFailed : 0).compactString(null);
    writer.compactBytes(Buffer.alloc(0)).int64(0).tags();
  }

  #answerCoordinator(writer: WireWriter): void {
    this.onSearch();
    const { nodeId, host, port } = this.belief.coordinator ?? this.address;
    writer.int32(0).uvarint(2).compactString('group').int32(nodeId).compactString(host).int32(port);
    writer.int16(0).compactString(null).tags().tags();
  }

  #answerCommit(writer: WireWriter): void {
    this.commits++;
    writer.int32(0).uvarint(2).compactString('topic').uvarint(2).int32(0).int16(0).tags().tags().tags();
  }

  #answerCreate(writer: WireWriter): void {
    this.creations++;
    this.onCreate();
    writer.int32(0).uvarint(2).compactString('topic').uuid(this.belief.topicId).int16(this.createError);
    writer.compactString(null).int32(1).int16(1).uvarint(1).tags().tags();
  }

  #answerOffsets(writer: WireWriter): void {
    this.onOffsets();
    writer
      .int32(0)
      .uvarint(2)
      .compactString('topic')
      .compactArray(this.offsets, ([partition, offset]) => {
        writer.int32(partition).int16(0).int64(-1).int64(offset).int32(0).tags();
      });
    writer.tags().tags();
  }

  #answerFetch(socket: Socket, writer: WireWriter): void {
    this.fetches++;
    this.onFetch();
    this.fetchers.add(socket);
    writer.int32(0).int16(0).int32(0).uvarint(2).uuid(this.belief.topicId).uvarint(2).int32(0).int16(this.fetchError);
    writer.int64(0).int64(0).int64(0).uvarint(1).int32(-1).compactBytes(this.records).tags().tags().tags();
    this.records = Buffer.alloc(0);
  }

  #answerMetadata(reader: WireReader, writer: WireWriter): void {
    const names = reader.compactArray(() => {
      reader.uuid();
      const name = reader.compactString();
      reader.tags();
      return name;
    });
    const { brokers = [this.address], topicError = 0, topicId, partition } = this.belief;
    if (names.length > 0) this.lookups++;
    writer.int32(0).compactArray(brokers, ({ nodeId, host, port }) => {
      writer.int32(nodeId).compactString(host).int32(port).compactString(null).tags();
    });
    writer.compactString('stand-in').int32(this.nodeId);
    writer.compactArray(names, (name) => {
      writer.int16(topicError).compactString(name).uuid(topicId).boolean(false).uvarint(2);
      writer.int16(partition.error).int32(partition.partition).int32(partition.leader).int32(partition.leaderEpoch);
      for (const nodes of [partition.replicas, partition.inSync, []])
        writer.compactArray(nodes, (node) => writer.int32(node));
      writer.tags().int32(0).tags();
    });
    writer.tags();
  }

  #answerProduce(reader: WireReader, writer: WireWriter): boolean {
    reader.compactString();
    reader.int16();
    const timeoutMs = reader.int32();
    reader.compactArray(() => {
      reader.compactString();
      reader.compactArray(() => {
        reader.int32();
        this.produced.push({ batch: Buffer.from(reader.compactBytes()!), timeoutMs });
        reader.tags();
      });
      reader.tags();
    });
    this.onProduce();
    if (this.produceAnswer === null) return false;
    const { error, message } = this.produceAnswer;
    writer.uvarint(2).compactString('topic').uvarint(2).int32(0).int16(error).int64(0).int64(-1).int64(0);
    writer.uvarint(1).compactString(message).tags().tags().int32(0).tags();
    return true;
  }
}

function answerVersions(writer: WireWriter): void {
  const all = [...asked, ...unanswered];
  writer.int16(0).int32(all.length);
  for (const { key, version } of all) writer.int16(key).int16(0).int16(version);
}

/** The one partition, led by a broker. */
export function ledBy(leader: number, leaderEpoch: number): PartitionMetadata {
  return { error: 0, partition: 0, leader, leaderEpoch, replicas: [leader], inSync: [leader] };
}

/** A clock that only moves when it is told, and a logger that keeps what is warned of. */
export function clusterOf(
  brokers: readonly BrokerAddress[],
  limits: Partial<KafkaLimits> = {},
  options: Partial<KafkaOptions> = {},
) {
  const clock = { nowMs: 0, monotonicMs: () => clock.nowMs, wallUnixMs: () => 1.75e12 };
  const warnings: { readonly text: string; readonly fields: LogFields }[] = [];
  const logger: Logger = { ...silentLogger, warn: (text, fields = {}) => void warnings.push({ text, fields }) };
  const addresses = brokers.map(({ host, port }) => `${host}:${port}`);
  const cluster = new KafkaCluster(compileKafkaOptions({ ...options, brokers: addresses, limits }), { clock, logger });
  return { cluster, clock, warnings };
}

/** Waits for a condition, ten seconds at most. */
export async function until(holds: () => boolean): Promise<void> {
  const deadlineMs = performance.now() + 10_000;
  while (!holds()) {
    assert.ok(performance.now() < deadlineMs, 'waited for 10 s');
    await new Promise((resolve) => setImmediate(resolve));
  }
}
