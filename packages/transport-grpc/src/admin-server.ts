import {
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
  status,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { errorText } from '@holdfast/model';
import { codecOf, rawService } from './definitions.ts';
import { statusText } from './errors.ts';
import { plainBytes } from './plain-bytes.ts';
import type { ServerHost } from './server-host.ts';

/** A JSON document and the name of the schema that its fields follow, such as holdfast/status/v1. */
export interface AdminDocument {
  readonly schema: string;
  readonly document: unknown;
}

/** Between documents of an export that take long to find: the node is at it. Nothing for the caller. */
export const pulseSchema = 'holdfast/pulse/v1';
const pulseMsDefault = 1_000;
/** Each holds the keys of all users. */
const exportsMax = 4;

/** What a node answers its operators. What a handler throws reaches the client as FAILED with the text. */
export interface AdminHandlers {
  status(): Promise<AdminDocument>;
  /** Null: the cluster has never seen this key. */
  getUser(key: Uint8Array): Promise<AdminDocument | null>;
  /**
   * Ended early (`return`) when the client goes away. Asked for more only as fast as the client reads. One whose JSON is
   * over `frameBytesMax` is left out, and the export fails after all others.
   */
  exportUsers(): AsyncIterable<AdminDocument>;
  /** An operator's act, as JSON data that nobody has checked yet. Without it, acts fail. */
  act?(request: unknown): Promise<AdminDocument>;
}

const pulseDocument = { schema: pulseSchema, document: null };

const users = codecOf<{ key: Uint8Array }>('Admin', 'GetUser', 'request');
const acts = codecOf<{ json: string }>('Admin', 'Act', 'request');
const replies = codecOf<{ schema: string; json: string }>('Admin', 'Status', 'response');

/** Serves the admin service on the host of the process, beside the peers. */
export class AdminServer {
  readonly #handlers: AdminHandlers;
  readonly #pulseMs: number;
  readonly #documentBytesMax: number;
  #exports = 0;

  constructor(host: ServerHost, handlers: AdminHandlers, pulseMs = pulseMsDefault) {
    this.#handlers = handlers;
    this.#documentBytesMax = host.limits.frameBytesMax;
    this.#pulseMs = pulseMs;
    host.addService(rawService('Admin'), this.#implementation());
  }

  #implementation(): UntypedServiceImplementation {
    return {
      Status: (_call: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>) =>
        this.#answer(answer, () => this.#handlers.status()),
      GetUser: (call: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>) =>
        this.#answer(answer, () => this.#handlers.getUser(plainBytes(users.decode(call.request).key))),
      Act: (call: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>) =>
        this.#answer(answer, () => this.#act(call.request)),
      Export: (call: ServerWritableStream<Buffer, Buffer>) => this.#export(call),
    };
  }

  #answer(answer: sendUnaryData<Buffer>, ask: () => Promise<AdminDocument | null>): void {
    const run = async () => {
      const document = await ask();
      return document === null ? null : encodeDocument(document);
    };
    run().then(
      (reply) => (reply === null ? answer({ code: status.NOT_FOUND, details: 'no such user' }) : answer(null, reply)),
      (error: unknown) => answer({ code: status.UNKNOWN, details: statusText(errorText(error)) }),
    );
  }

  async #act(bytes: Buffer): Promise<AdminDocument> {
    const { act } = this.#handlers;
    if (act === undefined) throw new Error('this node takes no orders');
    return act(JSON.parse(acts.decode(bytes).json));
  }

  async #export(call: ServerWritableStream<Buffer, Buffer>): Promise<void> {
    if (this.#exports === exportsMax) {
      const details = `${exportsMax} exports are under way already`;
      call.emit('error', { code: status.RESOURCE_EXHAUSTED, details, message: '' });
      return;
    }
    this.#exports++;
    let tooLarge = 0;
    let cancelled = false;
    let wake: () => void = () => {};
    let written = 0;
    let seen = -1;
    const pulse = setInterval(() => {
      if (seen === written && !call.writableNeedDrain) call.write(encodeDocument(pulseDocument));
      seen = written;
    }, this.#pulseMs);
    call.on('cancelled', () => {
      cancelled = true;
      clearInterval(pulse);
      wake();
    });
    call.on('drain', () => wake());
    try {
      for await (const document of this.#handlers.exportUsers()) {
        if (cancelled) return;
        written++;
        const bytes = encodeDocument(document);
        if (bytes.length > this.#documentBytesMax) tooLarge++;
        else if (!call.write(bytes)) {
          await new Promise<void>((resolve) => {
            wake = resolve;
            if (cancelled) resolve();
          });
        }
        if (cancelled) return;
      }
      if (tooLarge === 0) call.end();
      else throw new Error(`users whose JSON is over ${this.#documentBytesMax} bytes are missing: ${tooLarge}`);
    } catch (error) {
      if (!cancelled) call.emit('error', { code: status.UNKNOWN, details: statusText(errorText(error)), message: '' });
    } finally {
      clearInterval(pulse);
      this.#exports--;
    }
  }
}

function encodeDocument(document: AdminDocument): Buffer {
  return replies.encode({ schema: document.schema, json: JSON.stringify(document.document) });
}
