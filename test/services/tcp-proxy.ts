import { connect, createServer, type Server, type Socket } from 'node:net';

/** Between a client and a server: passes bytes on, replies as fast as it may, and loses replies on demand. */
export class TcpProxy {
  readonly #server: Server;
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  readonly #cuts = new Map<string, number>();
  readonly #replyBytesPerSecond: number;
  #cutOn: string | null = null;
  connectionCount = 0;

  private constructor(server: Server, replyBytesPerSecond: number) {
    this.#server = server;
    this.#replyBytesPerSecond = replyBytesPerSecond;
  }

  static async start(targetPort: number, replyBytesPerSecond = Number.POSITIVE_INFINITY): Promise<TcpProxy> {
    const server = createServer();
    const proxy = new TcpProxy(server, replyBytesPerSecond);
    server.on('connection', (client) => proxy.#join(client, targetPort));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  /** How many replies were lost. */
  get cutCount(): number {
    return [...this.#cuts.values()].reduce((sum, count) => sum + count, 0);
  }

  /** How many of them answered a request that was chosen by this text. */
  cutsOf(text: string): number {
    return this.#cuts.get(text) ?? 0;
  }

  /**
   * The next request that contains `text` reaches the server; its reply doesn't come back, since the connection is cut
   * when the reply arrives.
   */
  loseReplyTo(text: string): void {
    this.#cutOn = text;
  }

  async stop(): Promise<void> {
    for (const [a, b] of this.#pairs) {
      a.destroy();
      b.destroy();
    }
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #join(client: Socket, targetPort: number): void {
    this.connectionCount++;
    const server = connect(targetPort, '127.0.0.1');
    const pair = [client, server] as const;
    this.#pairs.add(pair);
    let cutting: string | null = null;
    const end = () => {
      this.#pairs.delete(pair);
      client.destroy();
      server.destroy();
    };
    for (const socket of pair) socket.on('error', end).on('close', end);
    client.on('data', (bytes) => {
      if (this.#cutOn !== null && bytes.includes(this.#cutOn)) {
        cutting = this.#cutOn;
        this.#cutOn = null;
      }
      server.write(bytes);
    });
    server.on('data', (bytes) => {
      if (cutting === null) {
        client.write(bytes);
        const tookMs = (bytes.length / this.#replyBytesPerSecond) * 1_000;
        if (tookMs < 1) return;
        server.pause();
        setTimeout(() => server.resume(), tookMs);
        return;
      }
      this.#cuts.set(cutting, this.cutsOf(cutting) + 1);
      end();
    });
  }
}
