import { connect, createServer, type Server, type Socket } from 'node:net';

/** Stands between a client and a server, and can lose what the server answers. */
export class TcpProxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** Set once the server's port is known. */
  targetPort = 0;
  /** Connections whose answer was lost. */
  repliesLost = 0;
  #toLose = 0;

  private constructor(server: Server) {
    this.#server = server;
    server.on('connection', (client) => this.#accept(client));
  }

  static async start(): Promise<TcpProxy> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new TcpProxy(server);
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  /** The server's next answer is thrown away after it was made, and its connection cut. */
  loseNextReply(): void {
    this.#toLose++;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #accept(client: Socket): void {
    const server = connect(this.targetPort, '127.0.0.1');
    const cut = () => {
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.on('error', cut).on('close', () => {
        this.#sockets.delete(socket);
        cut();
      });
    }
    client.on('data', (piece) => server.write(piece));
    server.on('data', (piece) => {
      if (this.#toLose === 0) return void client.write(piece);
      this.#toLose--;
      this.repliesLost++;
      cut();
    });
  }
}
