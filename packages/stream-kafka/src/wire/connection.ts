import { connect as connectPlain, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { KafkaError, type KafkaErrorCode } from '../errors.ts';
import type { CompiledKafkaOptions } from '../options.ts';
import type { TlsSettings } from '../tls-source.ts';
import { AnswerAssembler } from './answer-assembler.ts';
import type { Api } from './api.ts';
import { WireReader } from './wire-reader.ts';
import { WireWriter } from './wire-writer.ts';

export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface ConnectionOptions
  extends Pick<CompiledKafkaOptions, 'clientId' | 'connectTimeoutMs' | 'requestTimeoutMs' | 'answerBytesMax'> {
  /** Null: plain. */
  readonly tls: TlsSettings | null;
}

interface Waiting {
  /** What was asked. */
  readonly name: string;
  readonly timer: NodeJS.Timeout;
  resolve(answer: Buffer): void;
  reject(error: unknown): void;
}

/** TLS failures that no second try mends: they are settings. */
const tlsRefusal = /^(?:ERR_TLS|ERR_SSL|CERT_|SELF_SIGNED|DEPTH_ZERO|UNABLE_TO_|HOSTNAME_MISMATCH|ERR_OSSL)/;

function isTlsRefusal(error: NodeJS.ErrnoException | null | undefined): boolean {
  return tlsRefusal.test(error?.code ?? '');
}

/**
 * One connection to one broker: requests in, answers out, in any number at once. The broker answers a connection's
 * requests in order, so one that waits (a fetch) holds up those behind it: readers have connections of their own.
 */
export class Connection {
  readonly address: Address;
  readonly #options: ConnectionOptions;
  readonly #socket: Socket;
  readonly #waiting = new Map<number, Waiting>();
  #lastCorrelation = 0;
  #failure: KafkaError | null = null;
  #hasAnswered = false;
  #retired = false;

  private constructor(address: Address, options: ConnectionOptions, socket: Socket) {
    this.address = address;
    this.#options = options;
    this.#socket = socket;
    const assembler = new AnswerAssembler(options.answerBytesMax, (answer) => this.#take(answer));
    socket.on('data', (piece: Buffer) => {
      try {
        assembler.push(piece);
      } catch (error) {
        this.#fail(error as KafkaError);
      }
    });
    socket.on('error', (cause) => this.#fail(this.#broken(cause)));
    socket.on('close', () => this.#fail(this.#broken(null)));
  }

  /** @throws KafkaError UNREACHABLE, or DENIED for a certificate that is not trusted */
  static open(address: Address, options: ConnectionOptions): Promise<Connection> {
    const { host, port } = address;
    const { tls, connectTimeoutMs } = options;
    // An address is checked against the certificate, but can't be asked for by name.
    const named = isIP(host) === 0 ? { servername: host } : {};
    return new Promise((resolve, reject) => {
      const socket = tls === null ? connectPlain({ host, port }) : connectTls({ ...named, ...tls, host, port });
      const timer = setTimeout(() => fail(`no connection within ${connectTimeoutMs} ms`), connectTimeoutMs);
      const fail = (text: string, cause?: NodeJS.ErrnoException) => {
        clearTimeout(timer);
        socket.destroy();
        const code = tls !== null && isTlsRefusal(cause) ? 'DENIED' : 'UNREACHABLE';
        reject(new KafkaError(code, `${host}:${port}: ${text}`, { cause }));
      };
      socket.setNoDelay(true);
      socket.once('error', (error: NodeJS.ErrnoException) => fail(error.message || (error.code ?? 'refused'), error));
      socket.once(tls === null ? 'connect' : 'secureConnect', () => {
        clearTimeout(timer);
        socket.removeAllListeners('error');
        resolve(new Connection(address, options, socket));
      });
    });
  }

  get isOpen(): boolean {
    return this.#failure === null;
  }

  /** `waitMs`: how long the broker itself may wait before it answers. @throws KafkaError */
  request<Request, Answer>(api: Api<Request, Answer>, request: Request, waitMs = 0): Promise<Answer> {
    if (this.#failure !== null) return Promise.reject(this.#failure);
    const correlation = (this.#lastCorrelation = (this.#lastCorrelation + 1) & 0x7fffffff);
    const writer = new WireWriter().int32(0).int16(api.key).int16(api.version).int32(correlation);
    writer.string(this.#options.clientId);
    if (api.flexible) writer.tags();
    api.write(writer, request);
    writer.patchInt32(0, writer.length - 4);
    const timeoutMs = waitMs + this.#options.requestTimeoutMs;
    return new Promise<Buffer>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#fail(this.#error('UNREACHABLE', `no answer within ${timeoutMs} ms`));
      }, timeoutMs);
      this.#waiting.set(correlation, { name: api.name, timer, resolve, reject });
      this.#socket.write(writer.finish());
    }).then((answer) => {
      const reader = new WireReader(answer, 4);
      if (api.flexible) reader.tags();
      return api.read(reader);
    });
  }

  /** Another connection takes its place: what was asked here is still answered. */
  retire(): void {
    this.#retired = true;
    if (this.#waiting.size === 0) this.#fail(this.#error('UNREACHABLE', 'the connection was replaced'));
  }

  close(): void {
    this.#fail(new KafkaError('CLOSED', 'the connection is closed'));
  }

  #take(answer: Buffer): void {
    this.#hasAnswered = true;
    const correlation = answer.readInt32BE(0);
    const waiting = this.#waiting.get(correlation);
    if (waiting === undefined) throw this.#error('PROTOCOL', `an answer to request ${correlation}, which nobody made`);
    this.#waiting.delete(correlation);
    clearTimeout(waiting.timer);
    waiting.resolve(answer);
    if (this.#retired) this.retire();
  }

  #fail(error: KafkaError): void {
    if (this.#failure !== null) return;
    this.#failure = error;
    this.#socket.destroy();
    for (const { name, timer, reject } of this.#waiting.values()) {
      clearTimeout(timer);
      // Each is told what became of its own request.
      const { code, message, cause } = error;
      reject(code === 'UNREACHABLE' ? new KafkaError(code, `${message} (waited for ${name})`, { cause }) : error);
    }
    this.#waiting.clear();
  }

  #broken(cause: Error | null): KafkaError {
    const text = cause === null ? 'the broker closed the connection' : cause.message;
    if (this.#hasAnswered || this.#options.tls === null) return this.#error('UNREACHABLE', text, cause);
    // With TLS 1.3 a client takes the connection for made before the broker has looked at its certificate.
    if (isTlsRefusal(cause)) return this.#error('DENIED', `the broker takes no such client over TLS: ${text}`, cause);
    return this.#error('UNREACHABLE', `${text}; it may want a client certificate, or another one`, cause);
  }

  #error(code: KafkaErrorCode, text: string, cause: Error | null = null): KafkaError {
    return new KafkaError(code, `${this.address.host}:${this.address.port}: ${text}`, { cause });
  }
}
