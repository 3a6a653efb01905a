import type { Redis } from 'ioredis';
import { mastersOf, type RedisClient } from './client.ts';
import { functionName, librarySource, scriptSha, scriptSource } from './store-function.ts';

/** The store's function on the servers: loaded where it is missing, called by FCALL or EVALSHA. */
export class ServerFunction {
  readonly #client: RedisClient;
  #asScript: boolean;

  constructor(client: RedisClient, commands: 'auto' | 'script') {
    this.#client = client;
    this.#asScript = commands === 'script';
  }

  get isScript(): boolean {
    return this.#asScript;
  }

  /** Loads it on every master; rejects as the servers do. Loading what is there already is nothing. */
  async load(): Promise<void> {
    await Promise.all(mastersOf(this.#client).map((master) => this.#loadOn(master)));
  }

  call(keys: readonly string[], args: readonly (string | Buffer)[]): Promise<unknown> {
    const name = this.#asScript ? scriptSha : functionName;
    const command = this.#asScript ? 'EVALSHA' : 'FCALL';
    return this.#client.callBuffer(command, name, keys.length, ...keys, ...args);
  }

  async #loadOn(master: Redis): Promise<void> {
    if (!this.#asScript) {
      try {
        await master.call('FUNCTION', 'LOAD', librarySource);
        return;
      } catch (error) {
        const text = error instanceof Error ? error.message : '';
        if (/^ERR Library '.*' already exists/.test(text)) return;
        if (!/^ERR unknown command/i.test(text)) throw error;
        this.#asScript = true;
      }
    }
    await master.call('SCRIPT', 'LOAD', scriptSource);
  }
}
