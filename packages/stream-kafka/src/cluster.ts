import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '@holdfast/model';
import { apiVersions } from './apis/api-versions.ts';
import { createTopics, deleteTopics } from './apis/create-topics.ts';
import { fetch } from './apis/fetch.ts';
import { findCoordinator } from './apis/find-coordinator.ts';
import { initProducerId } from './apis/init-producer-id.ts';
import { listOffsets } from './apis/list-offsets.ts';
import { type BrokerAddress, type MetadataAnswer, metadata, type TopicAsked } from './apis/metadata.ts';
import { offsetCommit } from './apis/offset-commit.ts';
import { offsetFetch } from './apis/offset-fetch.ts';
import { produce } from './apis/produce.ts';
import { KafkaError, type KafkaErrorCode } from './errors.ts';
import type { CompiledKafkaOptions, KafkaEnvironment } from './options.ts';
import type { Api } from './wire/api.ts';
import { type Address, Connection } from './wire/connection.ts';
import { authenticate } from './wire/sasl.ts';

/** Connections that a broker has apart: one kind's waiting must not hold up the other. */
export type Lane = 'ask' | 'produce' | 'look';

/** Of a look, whose answer takes a broker nothing: a connection that hangs has to make place for another before long. */
const lookTimeoutMs = 10_000;

const spoken: readonly Api<never, unknown>[] = [
  metadata,
  fetch,
  listOffsets,
  produce,
  initProducerId,
  offsetCommit,
  offsetFetch,
  findCoordinator,
  createTopics,
  deleteTopics,
];

/** A connection is renewed when this part of its authentication's time is over. */
const sessionRatio = 0.8;

export interface HeldConnection {
  readonly connection: Connection;
  /** Monotonic; Infinity: for ever. */
  readonly renewAtMs: number;
}

/**
 * The brokers as one party to ask: connections by broker and lane, made when they are needed and made anew when they
 * break; and the rule for trying again.
 */
export class KafkaCluster {
  readonly options: CompiledKafkaOptions;
  readonly logger: Logger;
  readonly #environment: KafkaEnvironment;
  readonly #brokers = new Map<number, BrokerAddress>();
  /** By the last answer; -1: none is known. */
  #controllerId = -1;
  #turn = 0;
  readonly #held = new Map<string, Promise<HeldConnection>>();
  readonly #dedicated = new Set<Connection>();
  readonly #closing = new AbortController();

  constructor(options: CompiledKafkaOptions, environment: KafkaEnvironment) {
    this.options = options;
    this.logger = environment.logger;
    this.#environment = environment;
  }

  get isClosed(): boolean {
    return this.#closing.signal.aborted;
  }

  get nowMs(): number {
    return this.#environment.clock.monotonicMs();
  }

  get wallUnixMs(): number {
    return this.#environment.clock.wallUnixMs();
  }

  close(): void {
    this.#closing.abort();
    for (const held of this.#held.values()) held.then(({ connection }) => connection.close()).catch(() => undefined);
    for (const connection of this.#dedicated) connection.close();
    this.#held.clear();
    this.#dedicated.clear();
  }

  /** Asks one broker. @throws KafkaError */
  async ask<Request, Answer>(
    nodeId: number,
    api: Api<Request, Answer>,
    request: Request,
    lane: Lane = 'ask',
  ): Promise<Answer> {
    const address = this.#brokers.get(nodeId);
    if (address === undefined) throw new KafkaError('UNREACHABLE', `broker ${nodeId} is not known`);
    return (await this.#connection(String(nodeId), address, lane)).request(api, request);
  }

  /**
   * Asks any broker that answers: the known ones, each call beginning with another, then those of the settings. One that
   * refuses this client is no word about the others: it may have settings of its own, or not know of a change yet.
   * @param unlike asked only when no other known one answers
   * @throws KafkaError
   */
  async askAny<Request, Answer>(
    api: Api<Request, Answer>,
    request: Request,
    unlike?: number,
    lane: Lane = 'ask',
  ): Promise<Answer> {
    const failures: KafkaError[] = [];
    for (const [name, address] of this.#candidates(unlike)) {
      try {
        return await (await this.#connection(name, address, lane)).request(api, request);
      } catch (error) {
        if (!(error instanceof KafkaError) || error.code === 'CLOSED') throw error;
        failures.push(error);
      }
    }
    throw noAnswer(failures);
  }

  /**
   * Asks the controller, who alone makes and removes topics where brokers don't pass that on (ZooKeeper). Looked up anew
   * each time: this is rare. @throws KafkaError
   */
  async askController<Request, Answer>(api: Api<Request, Answer>, request: Request): Promise<Answer> {
    await this.metadata([]);
    const nodeId = this.#controllerId;
    return this.#brokers.has(nodeId) ? this.ask(nodeId, api, request) : this.askAny(api, request);
  }

  knows(nodeId: number): boolean {
    return this.#brokers.has(nodeId);
  }

  /** @param unlike as of `askAny` */
  async metadata(topics: readonly TopicAsked[], unlike?: number, lane?: Lane): Promise<MetadataAnswer> {
    const answer = await this.askAny(metadata, topics, unlike, lane);
    // A broker that has just started knows nobody yet.
    if (answer.brokers.length > 0) {
      this.#brokers.clear();
      for (const broker of answer.brokers) this.#brokers.set(broker.nodeId, broker);
      this.#controllerId = answer.controllerId;
    }
    return answer;
  }

  /** A connection that nobody else uses; the caller closes it. @throws KafkaError */
  async dedicated(nodeId: number): Promise<HeldConnection> {
    const address = this.#brokers.get(nodeId);
    if (address === undefined) throw new KafkaError('UNREACHABLE', `broker ${nodeId} is not known`);
    for (const old of this.#dedicated) if (!old.isOpen) this.#dedicated.delete(old);
    const held = await this.#open(address);
    if (this.isClosed) held.connection.close();
    this.#dedicated.add(held.connection);
    return held;
  }

  /**
   * Runs `attempt` until it succeeds, fails for good, or `retryTimeMs` is over, with growing pauses.
   * @param isTold in the log, where it takes more than a few tries; false: the caller does that
   * @throws KafkaError the last failure; for one that might have passed, with the time that was given to it
   */
  async retry<T>(
    attempt: (tries: number) => Promise<T>,
    retryTimeMs = this.options.retryTimeMs,
    isTold = true,
  ): Promise<T> {
    const beganMs = this.nowMs;
    for (let tries = 1; ; tries++) {
      if (this.isClosed) throw new KafkaError('CLOSED', 'the log is closed');
      try {
        return await attempt(tries);
      } catch (error) {
        if (!(error instanceof KafkaError) || !error.retriable) throw error;
        const pauseMs = this.backoffMs(tries);
        const pastMs = this.nowMs - beganMs;
        if (pastMs + pauseMs > retryTimeMs) {
          const text = `${error.message} (given up after ${tries} tries in ${Math.round(pastMs)} ms)`;
          throw new KafkaError(error.code, text, { cause: error, brokerError: error.brokerError });
        }
        if (isTold && tries === 5) {
          const fields = {
            err: error,
            tries,
            forMs: Math.round(pastMs),
            retryInMs: pauseMs,
            givesUpAfterMs: retryTimeMs,
          };
          this.logger.warn('Kafka: trying again', fields);
        }
        await this.pause(pauseMs);
      }
    }
  }

  backoffMs(tries: number): number {
    const { backoffMsMin, backoffMsMax } = this.options;
    return Math.min(backoffMsMin * 2 ** Math.min(tries - 1, 20), backoffMsMax);
  }

  /** Ends early when the cluster is closed. */
  async pause(pauseMs: number): Promise<void> {
    await delay(pauseMs, undefined, { signal: this.#closing.signal }).catch(() => undefined);
  }

  *#candidates(unlike: number | undefined): Iterable<[string, Address]> {
    // One that hangs, or is cut off from the controllers, is nobody's first choice for long.
    const known = [...this.#brokers.values()];
    const others = known.filter(({ nodeId }) => nodeId !== unlike);
    const first = this.#turn++ % Math.max(others.length, 1);
    const last = known.filter(({ nodeId }) => nodeId === unlike);
    for (const broker of [...others.slice(first), ...others.slice(0, first), ...last])
      yield [String(broker.nodeId), broker];
    for (const address of this.options.brokers) yield [`${address.host}:${address.port}`, address];
  }

  async #connection(name: string, address: Address, lane: Lane): Promise<Connection> {
    const { host, port } = address;
    const key = `${name}/${lane}`;
    for (;;) {
      if (this.isClosed) throw new KafkaError('CLOSED', 'the log is closed');
      const looked = this.#held.get(key);
      const held = await looked?.catch(() => null);
      const same = held?.connection.address.host === host && held.connection.address.port === port;
      if (held?.connection.isOpen && same && this.nowMs < held.renewAtMs) return held.connection;
      // Another caller has begun while this one looked: one opens, all others wait for him.
      if (this.#held.get(key) !== looked) continue;
      // The broker has moved, or the authentication is due for renewal.
      held?.connection.retire();
      break;
    }
    const { requestTimeoutMs } = this.options;
    const timeoutMs = lane === 'look' ? Math.min(lookTimeoutMs, requestTimeoutMs) : requestTimeoutMs;
    const opening = this.#open(address, timeoutMs);
    this.#held.set(key, opening);
    opening.catch(() => {
      if (this.#held.get(key) === opening) this.#held.delete(key);
    });
    const { connection } = await opening;
    if (this.isClosed) connection.close();
    return connection;
  }

  async #open(address: Address, requestTimeoutMs = this.options.requestTimeoutMs): Promise<HeldConnection> {
    const tls = this.options.tls?.current(this.logger) ?? null;
    const connection = await Connection.open(address, { ...this.options, tls, requestTimeoutMs });
    try {
      await checkVersions(connection);
      const { sasl } = this.options;
      const lifetimeMs = sasl === null ? 0 : await authenticate(connection, sasl);
      const renewAtMs = lifetimeMs === 0 ? Number.POSITIVE_INFINITY : this.nowMs + lifetimeMs * sessionRatio;
      return { connection, renewAtMs };
    } catch (error) {
      connection.close();
      throw error;
    }
  }
}

/** Of brokers that were asked one after the other, the failure that trying again would mend least. */
function noAnswer(failures: readonly KafkaError[]): KafkaError {
  const withCode = (code: KafkaErrorCode) => failures.find((failure) => failure.code === code);
  const cause = withCode('DENIED') ?? withCode('PROTOCOL') ?? failures.at(-1);
  const code = cause?.code ?? 'UNREACHABLE';
  const texts = [...new Set(failures.map(({ message }) => message))].join('; ');
  return new KafkaError(code, code === 'DENIED' ? texts : `no broker answers: ${texts}`, { cause });
}

/** @throws KafkaError PROTOCOL when the broker doesn't speak what the adapter speaks */
async function checkVersions(connection: Connection): Promise<void> {
  const { ranges } = await connection.request(apiVersions, null);
  const { host, port } = connection.address;
  for (const { key, name, version } of spoken) {
    const range = ranges.find((range) => range.key === key);
    if (range !== undefined && range.least <= version && version <= range.most) continue;
    const found = range === undefined ? 'none' : `${range.least} to ${range.most}`;
    throw new KafkaError(
      'PROTOCOL',
      `${host}:${port} speaks ${name} in the versions ${found}, not ${version}: Kafka 3.1 or newer is needed`,
    );
  }
}
