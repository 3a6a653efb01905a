import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One condition of a probe; `text` is shown with `?verbose`. */
export interface HealthCheck {
  readonly name: string;
  readonly ok: boolean;
  readonly text: string;
}

export interface HealthSource {
  /** Has it started? Until then a supervisor should not look at the others. */
  started(): readonly HealthCheck[];
  /** Does the process turn at all? Nothing outside of it may count: a restart heals only the process. */
  live(): readonly HealthCheck[];
  /** May work be sent to it? */
  ready(): readonly HealthCheck[];
  readonly metrics: { readonly contentType: string; text(): Promise<string> };
}

/** A request has no body here, and headers of a probe are short. */
const maxHeaderSize = 8 * 1024;
/** Who says nothing for so long is cut off: probes need the connections. */
const patienceMsDefault = 5_000;
const connectionsMax = 64;

/** `/startupz`, `/livez`, `/readyz` (each with `?verbose`) and `/metrics` over HTTP. */
export class HealthServer {
  readonly #source: HealthSource;
  readonly #server: Server;

  private constructor(source: HealthSource, patienceMs: number) {
    this.#source = source;
    const timeouts = { requestTimeout: patienceMs, headersTimeout: patienceMs, keepAliveTimeout: patienceMs };
    // Else Node looks for those who are over it every half minute only.
    const limits = { maxHeaderSize, ...timeouts, connectionsCheckingInterval: patienceMs / 5 };
    this.#server = createServer(limits, (request, response) => {
      this.#answer(request, response).catch((error: Error) => response.destroy(error));
    });
    this.#server.maxConnections = connectionsMax;
  }

  /** @throws what `listen` throws, for instance EADDRINUSE */
  static async listen(
    at: { host: string; port: number },
    source: HealthSource,
    patienceMs = patienceMsDefault,
  ): Promise<HealthServer> {
    const server = new HealthServer(source, patienceMs);
    server.#server.listen(at.port, at.host);
    await once(server.#server, 'listening');
    return server;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // As a path and nothing else: what begins with two slashes would name a host.
    const text = `http://localhost${request.url}`;
    if (request.url?.startsWith('/') !== true || !URL.canParse(text)) return end(response, 400, 'no path\n');
    const url = new URL(text);
    if (request.method !== 'GET' && request.method !== 'HEAD') return end(response, 405, 'only GET\n');
    try {
      switch (url.pathname) {
        case '/startupz':
          return this.#probe(response, this.#source.started(), url);
        case '/livez':
          return this.#probe(response, this.#source.live(), url);
        case '/readyz':
          return this.#probe(response, this.#source.ready(), url);
        case '/metrics': {
          const { metrics } = this.#source;
          return end(response, 200, await metrics.text(), metrics.contentType);
        }
        default:
          return end(response, 404, 'there are /startupz, /livez, /readyz and /metrics\n');
      }
    } catch (error) {
      end(response, 500, `${(error as Error).message}\n`);
    }
  }

  #probe(response: ServerResponse, checks: readonly HealthCheck[], url: URL): void {
    const ok = checks.every((check) => check.ok);
    const lines = checks.map((check) => `${check.ok ? '+' : '-'} ${check.name}: ${check.text}\n`);
    end(response, ok ? 200 : 503, url.searchParams.has('verbose') || !ok ? lines.join('') : 'ok\n');
  }
}

function end(response: ServerResponse, status: number, text: string, type = 'text/plain; charset=utf-8'): void {
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' });
  response.end(text);
}
