import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { type Rng, randomRatio } from '@holdfast/model';
import { delayOf, type LinkFaults, type ProxyOptions } from './link-faults.ts';

/** Bytes that wait in one direction of a connection; then its source is read no more. */
const waitingBytesMax = 4 * 2 ** 20;
const clogLookMs = 10;

/** Passes connections on to a target, with the faults of their two directions. Bytes keep their order whatever is wrong. */
export class TcpFaultProxy {
  readonly #options: ProxyOptions;
  readonly #server: Server;
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  connections = 0;

  private constructor(options: ProxyOptions, server: Server) {
    this.#options = options;
    this.#server = server;
    server.on('connection', (client) => this.#join(client));
  }

  static async start(options: ProxyOptions): Promise<TcpFaultProxy> {
    const server = createServer({ allowHalfOpen: true, noDelay: true });
    const proxy = new TcpFaultProxy(options, server);
    server.listen(0, options.host);
    await once(server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  /** Both ends of every connection are told, at once, that it is broken. */
  reset(): number {
    for (const pair of this.#pairs) for (const socket of pair) socket.resetAndDestroy();
    return this.#pairs.size;
  }

  async close(): Promise<void> {
    for (const pair of this.#pairs) for (const socket of pair) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #join(client: Socket): void {
    this.connections++;
    const { targetHost, targetPort, there, back, rng } = this.#options;
    const server = connect({ host: targetHost, port: targetPort, allowHalfOpen: true, noDelay: true });
    const pair = [client, server] as const;
    this.#pairs.add(pair);
    new Direction(client, server, there, rng);
    new Direction(server, client, back, rng);
    const forget = (): void => {
      if (client.destroyed && server.destroyed) this.#pairs.delete(pair);
    };
    for (const socket of pair) socket.on('close', forget);
  }
}

/** One direction of a connection: what comes out of `source` goes into `sink` when its time has come. */
class Direction {
  readonly #source: Socket;
  readonly #sink: Socket;
  readonly #faults: LinkFaults;
  readonly #rng: Rng;
  readonly #waiting: { readonly dueMs: number; readonly bytes: Buffer | 'end' | 'broken' }[] = [];
  #waitingBytes = 0;
  #lastDueMs = 0;
  #timer: NodeJS.Timeout | null = null;

  constructor(source: Socket, sink: Socket, faults: LinkFaults, rng: Rng) {
    this.#source = source;
    this.#sink = sink;
    this.#faults = faults;
    this.#rng = rng;
    source.on('data', (bytes) => this.#take(bytes as Buffer));
    source.on('end', () => this.#take('end'));
    source.on('error', () => this.#take('broken'));
    source.on('close', () => this.#take('broken'));
    sink.on('close', () => {
      if (this.#timer !== null) clearTimeout(this.#timer);
      this.#waiting.length = 0;
    });
  }

  #take(bytes: Buffer | 'end' | 'broken'): void {
    if (this.#sink.destroyed) return;
    const dueMs = Math.max(this.#lastDueMs, performance.now() + delayOf(this.#faults, randomRatio(this.#rng)));
    this.#lastDueMs = dueMs;
    this.#waiting.push({ dueMs, bytes });
    if (typeof bytes !== 'string') this.#waitingBytes += bytes.length;
    if (this.#waitingBytes > waitingBytesMax) this.#source.pause();
    if (this.#timer === null) this.#give();
  }

  #give(): void {
    this.#timer = null;
    while (this.#waiting.length > 0) {
      const { dueMs, bytes } = this.#waiting[0]!;
      const waitMs = this.#faults.isClogged ? clogLookMs : dueMs - performance.now();
      if (waitMs > 0) {
        this.#timer = setTimeout(() => this.#give(), waitMs);
        return;
      }
      this.#waiting.shift();
      if (typeof bytes !== 'string') this.#waitingBytes -= bytes.length;
      if (!this.#faults.isSilent) this.#pass(bytes);
    }
    if (this.#source.isPaused()) this.#source.resume();
  }

  #pass(bytes: Buffer | 'end' | 'broken'): void {
    if (bytes === 'end') this.#sink.end();
    else if (bytes === 'broken') this.#sink.destroy();
    else this.#sink.write(bytes);
  }
}
