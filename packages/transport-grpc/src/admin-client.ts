import { type Client, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { type AdminDocument, pulseSchema } from './admin-server.ts';
import { connect } from './channel.ts';
import { asIs, codecOf, paths } from './definitions.ts';
import { detailsText } from './errors.ts';
import { defaultLimits, type TransportLimits } from './limits.ts';
import type { TlsFiles } from './tls.ts';

export const adminErrorCodes = ['UNAVAILABLE', 'DEADLINE', 'NOT_FOUND', 'DENIED', 'FAILED'] as const;
export type AdminErrorCode = (typeof adminErrorCodes)[number];

/** Thrown by `AdminClient`; match on `code`. */
export class AdminError extends Error {
  override readonly name = 'AdminError';
  readonly code: AdminErrorCode;
  constructor(code: AdminErrorCode, text: string, options?: { readonly cause?: unknown }) {
    super(text, options);
    this.code = code;
  }
}

export interface AdminClientOptions {
  /** For each answer, and for each next document of an export. */
  readonly timeoutMs?: number;
  readonly limits?: Partial<TransportLimits>;
  readonly tls?: TlsFiles | null;
}

const empty = codecOf<object>('Admin', 'Status', 'request');
const users = codecOf<{ key: Uint8Array }>('Admin', 'GetUser', 'request');
const acts = codecOf<{ json: string }>('Admin', 'Act', 'request');
const replies = codecOf<{ schema: string; json: string }>('Admin', 'Status', 'response');

/** Asks a node's admin service. */
export class AdminClient {
  readonly #address: string;
  readonly #timeoutMs: number;
  readonly #client: Client;

  constructor(address: string, options: AdminClientOptions = {}) {
    this.#address = address;
    this.#timeoutMs = options.timeoutMs ?? 5_000;
    this.#client = connect(address, { ...defaultLimits, ...options.limits }, options.tls ?? null);
  }

  /** @throws AdminError */
  status(): Promise<AdminDocument> {
    return this.#ask(paths.adminStatus, empty.encode({}));
  }

  /** @throws AdminError NOT_FOUND when the cluster has never seen the key */
  getUser(key: Uint8Array): Promise<AdminDocument> {
    return this.#ask(paths.adminGetUser, users.encode({ key }));
  }

  /** An operator's act, plain JSON data. Refusals are part of the answer. @throws AdminError */
  act(request: unknown): Promise<AdminDocument> {
    return this.#ask(paths.adminAct, acts.encode({ json: JSON.stringify(request) }));
  }

  /** All users; read as fast as the caller takes them. @throws AdminError */
  async *exportUsers(): AsyncGenerator<AdminDocument> {
    const call = this.#client.makeServerStreamRequest(
      paths.adminExport,
      asIs,
      asIs,
      empty.encode({}),
      new Metadata(),
      {},
    );
    let timedOut = false;
    const onSilence = () => {
      timedOut = true;
      call.cancel();
    };
    let timer = setTimeout(onSilence, this.#timeoutMs);
    try {
      for await (const bytes of call) {
        clearTimeout(timer);
        const document = decodeDocument(bytes as Buffer);
        if (document.schema !== pulseSchema) yield document;
        timer = setTimeout(onSilence, this.#timeoutMs);
      }
    } catch (error) {
      throw timedOut ? this.#deadlineError() : this.#adminError(error as ServiceError);
    } finally {
      clearTimeout(timer);
      call.cancel();
    }
  }

  close(): void {
    this.#client.close();
  }

  #ask(path: string, request: Buffer): Promise<AdminDocument> {
    return new Promise((resolve, reject) => {
      const call = this.#client.makeUnaryRequest(path, asIs, asIs, request, new Metadata(), {}, (error, reply) => {
        clearTimeout(timer);
        if (error !== null) return reject(this.#adminError(error));
        try {
          resolve(decodeDocument(reply ?? Buffer.alloc(0)));
        } catch (cause) {
          reject(new AdminError('FAILED', `the answer of ${this.#address} can't be read`, { cause }));
        }
      });
      const timer = setTimeout(() => {
        reject(this.#deadlineError());
        call.cancel();
      }, this.#timeoutMs);
    });
  }

  #deadlineError(): AdminError {
    return new AdminError('DEADLINE', `${this.#address} did not answer within ${this.#timeoutMs} ms`);
  }

  #adminError(error: ServiceError): AdminError {
    if (error instanceof AdminError) return error;
    const code = codeOf(error.code);
    const what = code === 'UNAVAILABLE' ? `${this.#address} can't be reached` : `${this.#address} answered`;
    return new AdminError(code, `${what}: ${detailsText(error.details ?? error.message)}`, { cause: error });
  }
}

function codeOf(code: status | undefined): AdminErrorCode {
  switch (code) {
    case status.UNAVAILABLE:
      return 'UNAVAILABLE';
    case status.DEADLINE_EXCEEDED:
      return 'DEADLINE';
    case status.NOT_FOUND:
      return 'NOT_FOUND';
    case status.PERMISSION_DENIED:
    case status.UNAUTHENTICATED:
      return 'DENIED';
    default:
      return 'FAILED';
  }
}

function decodeDocument(bytes: Buffer): AdminDocument {
  const { schema, json } = replies.decode(bytes);
  return { schema, document: JSON.parse(json) };
}
