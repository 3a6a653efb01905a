import { CallLane } from './call-lane.ts';
import type { TransportLimits } from './limits.ts';
import type { PeerHello } from './peer-codec.ts';
import { PeerConnection } from './peer-connection.ts';
import { RaftLane } from './raft-lane.ts';
import type { TlsFiles } from './tls.ts';

/** From this size on a Raft message is a bulk transfer: it goes beside the stream of the small ones, not before them. */
const bulkBytes = 1024 * 1024;

/** The connection to one peer: a stream of calls, one of Raft messages, another one for snapshots. */
export class PeerLink {
  readonly address: string;
  readonly #connection: PeerConnection;
  readonly #limits: TransportLimits;
  readonly #small: RaftLane;
  readonly #bulk: RaftLane;
  readonly #calls: CallLane;

  /** `onHint`: the connection failed, or is back after a failure. */
  constructor(address: string, hello: PeerHello, limits: TransportLimits, tls: TlsFiles | null, onHint: () => void) {
    this.address = address;
    this.#limits = limits;
    this.#connection = new PeerConnection(address, limits, tls, hello.to);
    this.#small = new RaftLane(this.#connection, hello, limits, hintOnChange(onHint));
    this.#bulk = new RaftLane(this.#connection, hello, limits, hintOnChange(onHint));
    this.#calls = new CallLane(this.#connection, hello, limits);
  }

  /** Raft messages that were dropped because too many waited. */
  get droppedCount(): number {
    return this.#small.droppedCount + this.#bulk.droppedCount;
  }

  sendRaft(message: Uint8Array): void {
    if (message.length > this.#limits.raftMessageBytesMax) return;
    (message.length >= bulkBytes ? this.#bulk : this.#small).push(message);
  }

  call(method: string, body: Uint8Array, timeoutMs: number): Promise<Uint8Array> {
    return this.#calls.call(method, body, timeoutMs);
  }

  close(): void {
    this.#small.close();
    this.#bulk.close();
    this.#calls.close();
    this.#connection.close();
  }
}

/** Tells when a lane goes down, and when it is up again. */
function hintOnChange(onHint: () => void): (up: boolean) => void {
  let down = false;
  return (up) => {
    if (up !== down) return;
    down = !up;
    onHint();
  };
}
