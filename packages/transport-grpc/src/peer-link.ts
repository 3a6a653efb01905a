import { type Client, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { PeerCallError } from '@holdfast/engine';
import { connect } from './channel.ts';
import { asIs, paths } from './definitions.ts';
import { detailsText } from './errors.ts';
import type { TransportLimits } from './limits.ts';
import { decodeCallReply, encodeCall, type PeerHello } from './peer-codec.ts';
import { RaftLane } from './raft-lane.ts';
import type { TlsFiles } from './tls.ts';

/** From this size on a Raft message is a bulk transfer: it goes beside the stream of the small ones, not before them. */
const bulkBytes = 1024 * 1024;

/** The connection to one peer: calls, a stream of Raft messages, another one for snapshots. */
export class PeerLink {
  readonly address: string;
  readonly #client: Client;
  readonly #hello: PeerHello;
  readonly #limits: TransportLimits;
  readonly #small: RaftLane;
  readonly #bulk: RaftLane;
  readonly #pending = new Set<() => void>();

  /** `onHint`: the connection failed, or is back after a failure. */
  constructor(address: string, hello: PeerHello, limits: TransportLimits, tls: TlsFiles | null, onHint: () => void) {
    this.address = address;
    this.#hello = hello;
    this.#limits = limits;
    this.#client = connect(address, limits, tls, hello.to);
    this.#small = new RaftLane(this.#client, hello, limits, hintOnChange(onHint));
    this.#bulk = new RaftLane(this.#client, hello, limits, hintOnChange(onHint));
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
    return new Promise((resolve, reject) => {
      const settle = (act: () => void) => {
        if (!this.#pending.delete(cancel)) return;
        clearTimeout(timer);
        act();
      };
      const call = this.#client.makeUnaryRequest(
        paths.call,
        asIs,
        asIs,
        encodeCall(this.#hello, method, body),
        new Metadata(),
        {},
        (error, reply) => settle(() => this.#answer(error, reply, resolve, reject)),
      );
      // Not gRPC's own deadline: that is a point of wall-clock time, and the wall clock may jump.
      const timer = setTimeout(() => {
        settle(() => reject(new PeerCallError('DEADLINE', `no answer within ${timeoutMs} ms`)));
        call.cancel();
      }, timeoutMs);
      const cancel = () => {
        settle(() => reject(new PeerCallError('UNREACHABLE', 'the connection is closed here')));
        call.cancel();
      };
      this.#pending.add(cancel);
    });
  }

  close(): void {
    this.#small.close();
    this.#bulk.close();
    for (const cancel of [...this.#pending]) cancel();
    this.#client.close();
  }

  #answer(
    error: ServiceError | null,
    reply: Buffer | undefined,
    resolve: (body: Uint8Array) => void,
    reject: (error: PeerCallError) => void,
  ): void {
    if (error !== null) reject(callError(error));
    else {
      try {
        resolve(decodeCallReply(reply ?? Buffer.alloc(0)));
      } catch (cause) {
        reject(new PeerCallError('FAILED', 'the answer can not be read', { cause }));
      }
    }
  }
}

function callError(error: ServiceError): PeerCallError {
  // FAILED_PRECONDITION: another node or cluster lives at the address; ours is not to be reached there.
  const unreachable = error.code === status.UNAVAILABLE || error.code === status.FAILED_PRECONDITION;
  return new PeerCallError(unreachable ? 'UNREACHABLE' : 'FAILED', detailsText(error.details), { cause: error });
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
