import { Server, type ServerOptions, type ServiceDefinition, type UntypedServiceImplementation } from '@grpc/grpc-js';
import { TransportError } from './errors.ts';
import { defaultLimits, type TransportLimits } from './limits.ts';
import { serverCredentials, type TlsFiles } from './tls.ts';

export interface ServerHostOptions {
  /** Interface to listen on; loopback unless said otherwise. */
  readonly host?: string;
  /** 0: any free port. */
  readonly port?: number;
  /** What others shall use instead of `host` (needed when that is a wildcard). */
  readonly advertisedHost?: string;
  readonly limits?: Partial<TransportLimits>;
  readonly tls?: TlsFiles | null;
}

/** One gRPC server: services are added, then it listens, then it closes within a bound. */
export class ServerHost {
  readonly #options: ServerHostOptions;
  readonly limits: TransportLimits;
  readonly #server: Server;
  #closing: Promise<void> | null = null;

  constructor(options: ServerHostOptions = {}) {
    this.#options = options;
    this.limits = { ...defaultLimits, ...options.limits };
    this.#server = new Server(serverOptions(this.limits));
    widenStreamWindows(this.#server, this.limits.receiveWindowBytes);
  }

  addService(service: ServiceDefinition, implementation: UntypedServiceImplementation): void {
    this.#server.addService(service, implementation);
  }

  /** Resolves with the address for others. @throws TransportError */
  async listen(): Promise<string> {
    const { host = '127.0.0.1', port = 0, advertisedHost = host, tls = null } = this.#options;
    const wanted = hostPort(host, port);
    const bound = await new Promise<number>((resolve, reject) => {
      this.#server.bindAsync(wanted, serverCredentials(tls), (error, boundPort) => {
        if (error === null) resolve(boundPort);
        else reject(listenError(wanted, error));
      });
    });
    return hostPort(advertisedHost, bound);
  }

  /** Refuses new work, lets what runs end, and cuts the rest after `closeTimeoutMs`. */
  close(): Promise<void> {
    this.#closing ??= new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#server.forceShutdown();
        resolve();
      }, this.limits.closeTimeoutMs);
      this.#server.tryShutdown(() => {
        clearTimeout(timer);
        resolve();
      });
    });
    return this.#closing;
  }
}

function serverOptions(limits: TransportLimits): ServerOptions {
  return {
    'grpc.max_receive_message_length': limits.frameBytesMax,
    'grpc.max_send_message_length': limits.frameBytesMax,
    'grpc.max_concurrent_streams': limits.connectionStreamsMax,
    'grpc-node.max_session_memory': limits.sessionMemoryMegabytesMax,
    'grpc.keepalive_time_ms': limits.keepaliveTimeMs,
    'grpc.keepalive_timeout_ms': limits.keepaliveTimeoutMs,
  };
}

function hostPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

function listenError(address: string, cause: Error): TransportError {
  return cause.message.includes('EADDRINUSE')
    ? new TransportError('ADDRESS_IN_USE', address, `another program listens on ${address}`, { cause })
    : new TransportError('LISTEN_FAILED', address, `can't listen on ${address}: ${cause.message}`, { cause });
}

/**
 * grpc-js has an option for the receive window of clients only, and frames flow towards the server. These two reach
 * for fields that its types hide; a test checks that they still take effect. Without them all works, at 64 KiB a round trip.
 */
function widenStreamWindows(server: Server, bytes: number): void {
  const common = (server as unknown as { commonServerOptions?: { settings?: object } }).commonServerOptions;
  if (common !== undefined) common.settings = { ...common.settings, initialWindowSize: bytes };
}

interface Http2Session {
  readonly state: { readonly effectiveLocalWindowSize?: number };
  setLocalWindowSize(bytes: number): void;
}

/** Widens the connection of a call that has arrived; true when it is (now) as wide as wanted. */
export function widenConnectionWindow(call: object, bytes: number): boolean {
  let base = (call as { call?: object }).call as { nextCall?: object; stream?: { session?: Http2Session } } | undefined;
  while (base?.nextCall !== undefined) base = base.nextCall as typeof base;
  const session = base?.stream?.session;
  if (session === undefined) return false;
  if ((session.state.effectiveLocalWindowSize ?? 0) < bytes) session.setLocalWindowSize(bytes);
  return (session.state.effectiveLocalWindowSize ?? 0) >= bytes;
}
