import type { Logger } from '@holdfast/model';
import { Redis } from 'ioredis';
import { addressOf, mastersOf, type RedisClient } from './client.ts';
import { backoffMs, type Deadline } from './deadline.ts';
import { RedisStoreError } from './errors.ts';
import { remedyOf, withoutCommand } from './reply-errors.ts';
import type { ServerFunction } from './server-function.ts';

const firstRetryMs = 10;
const retryMaxMs = 500;
/** Before a client that has ended by itself is connected again. */
const reviveMs = 100;

/**
 * Calls to the servers that are repeated, with the same bytes, until they are answered or a deadline has passed. That is
 * safe for all of them: rows and claims are ordered by (epoch, seq), markers rise, a life begins once.
 */
export class StoreCalls {
  readonly #client: RedisClient;
  readonly #function: ServerFunction;
  readonly #name: string;
  readonly #logger: Logger;
  #loading: Promise<void> | null = null;
  #connectionError: Error | null = null;
  #isClosed = false;

  constructor(client: RedisClient, fn: ServerFunction, name: string, logger: Logger) {
    this.#client = client;
    this.#function = fn;
    this.#name = name;
    this.#logger = logger;
    // Why there is no connection: a rejected command only says that there is none.
    client.on('error', (error: Error) => {
      withoutCommand(error);
      this.#connectionError = error;
    });
    client.on('ready', () => {
      this.#connectionError = null;
    });
    // ioredis ends for good when Sentinels tell of a failover while it looks for the master: the word of the connection
    // before cuts off the attempt of the next one.
    client.on('end', () => setTimeout(() => this.#revive(), reviveMs).unref());
  }

  /** One call of the store's function. @throws RedisStoreError */
  call(keys: readonly string[], args: readonly (string | Buffer)[], deadline: Deadline): Promise<unknown> {
    return this.run(() => this.#function.call(keys, args), deadline);
  }

  /** @throws RedisStoreError */
  async run<T>(command: () => Promise<T>, deadline: Deadline): Promise<T> {
    for (let tries = 0; ; tries++) {
      if (this.#isClosed) throw new RedisStoreError('CLOSED', `the store on ${this.#name} is closed`);
      try {
        return await command();
      } catch (error) {
        let remedy = remedyOf(error, this.#name);
        if (isTimedOut(error)) this.#cut();
        if (remedy === 'reload') remedy = await this.#reload();
        if (remedy instanceof RedisStoreError) throw remedy;
        if (deadline.passed) throw this.#unavailable(error, tries + 1);
        if (remedy === 'retry') await deadline.wait(backoffMs(tries, firstRetryMs, retryMaxMs));
      }
    }
  }

  /**
   * What was too late is still on its way, ahead of what is asked for now, and the server keeps it until it is read. A
   * Cluster's client doesn't connect a node again that it is told to let go of.
   */
  #cut(): void {
    if (this.#client instanceof Redis) this.#client.disconnect(true);
  }

  close(): void {
    this.#isClosed = true;
  }

  #revive(): void {
    if (this.#isClosed || this.#client.status !== 'end') return;
    this.#logger.info('connecting to the backup store again', { server: this.#name });
    // One that fails ends again, which is seen above.
    this.#client.connect().catch(() => undefined);
  }

  /** Somebody flushed functions or scripts, or a server is new. Never a write without the function. */
  async #reload(): Promise<'retry' | RedisStoreError> {
    this.#loading ??= this.#function.load().finally(() => {
      this.#loading = null;
    });
    try {
      await this.#loading;
      const servers = mastersOf(this.#client).map(addressOf);
      this.#logger.warn('the store function was missing and is loaded again', { servers: servers.join(', ') });
      return 'retry';
    } catch (error) {
      const remedy = remedyOf(error, this.#name);
      return remedy instanceof RedisStoreError ? remedy : 'retry';
    }
  }

  #unavailable(cause: unknown, tries: number): RedisStoreError {
    const why = this.#connectionError?.message ?? (cause instanceof Error ? cause.message : String(cause));
    const text = `no answer from ${this.#name} (${why}) after ${tries} tries: repeat the call with the same bytes`;
    return new RedisStoreError('UNAVAILABLE', text, { cause });
  }
}

/** `commandTimeout` of ioredis, which has no error of its own. */
function isTimedOut(error: unknown): boolean {
  return error instanceof Error && error.message === 'Command timed out';
}
