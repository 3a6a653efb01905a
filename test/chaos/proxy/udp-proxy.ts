import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { randomRatio } from '@holdfast/model';
import { delayOf, type LinkFaults, overtakenByMs, type ProxyOptions } from './link-faults.ts';

export interface UdpProxyOptions extends ProxyOptions {
  /** Hears of every datagram for the target. */
  readonly onDatagram?: (bytes: Uint8Array) => void;
}

/** Datagrams that wait in one direction; beyond it they are lost, as in any queue. */
const waitingMax = 4_096;
const clogLookMs = 20;

/** Passes datagrams on to a target, each client by a socket of its own, with the faults of its two directions. */
export class UdpProxy {
  readonly #options: UdpProxyOptions;
  readonly #socket: Socket;
  readonly #clients = new Map<string, Socket>();
  readonly #timers = new Set<NodeJS.Timeout>();
  /** What was lost, doubled, overtaken, delayed: a fault that never fired shows nothing. */
  readonly counts = { passed: 0, lost: 0, doubled: 0, overtaken: 0 };

  private constructor(options: UdpProxyOptions, socket: Socket) {
    this.#options = options;
    this.#socket = socket;
    socket.on('message', (bytes, { address, port }) => {
      options.onDatagram?.(bytes);
      const upstream = this.#clientOf(address, port);
      const { there, targetPort, targetHost } = options;
      this.#carry(there, () => upstream.send(bytes, targetPort, targetHost, () => {}));
    });
  }

  static async start(options: UdpProxyOptions): Promise<UdpProxy> {
    const socket = createSocket('udp4');
    socket.bind(0, options.host);
    await once(socket, 'listening');
    return new UdpProxy(options, socket);
  }

  get port(): number {
    return this.#socket.address().port;
  }

  close(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    for (const socket of [this.#socket, ...this.#clients.values()]) socket.close();
  }

  #clientOf(address: string, port: number): Socket {
    const key = `${address}:${port}`;
    let upstream = this.#clients.get(key);
    if (upstream !== undefined) return upstream;
    upstream = createSocket('udp4');
    // A target that doesn't listen is a loss like any other.
    upstream.on('error', () => {});
    upstream.on('message', (bytes) =>
      this.#carry(this.#options.back, () => this.#socket.send(bytes, port, address, () => {})),
    );
    this.#clients.set(key, upstream);
    return upstream;
  }

  #carry(faults: LinkFaults, send: () => void): void {
    const { rng } = this.#options;
    if (faults.isSilent || this.#timers.size >= waitingMax || randomRatio(rng) < faults.lossRatio) {
      this.counts.lost++;
      return;
    }
    let times = 1;
    if (randomRatio(rng) < faults.duplicateRatio) {
      times = 2;
      this.counts.doubled++;
    }
    for (; times > 0; times--) {
      let afterMs = delayOf(faults, randomRatio(rng));
      if (randomRatio(rng) < faults.reorderRatio) {
        afterMs += overtakenByMs;
        this.counts.overtaken++;
      }
      this.#after(afterMs, faults, send);
    }
  }

  #after(afterMs: number, faults: LinkFaults, send: () => void): void {
    if (afterMs <= 0 && !faults.isClogged) {
      this.#pass(send);
      return;
    }
    const timer = setTimeout(
      () => {
        this.#timers.delete(timer);
        if (faults.isSilent) this.counts.lost++;
        else if (faults.isClogged) this.#after(clogLookMs, faults, send);
        else this.#pass(send);
      },
      Math.max(afterMs, faults.isClogged ? clogLookMs : 0),
    );
    this.#timers.add(timer);
  }

  #pass(send: () => void): void {
    this.counts.passed++;
    send();
  }
}
