import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { errorText, type Logger } from '@holdfast/model';

/** Paths of PEM files. */
export interface KafkaTlsOptions {
  /** Who signed the brokers' certificates; the system's authorities without. */
  readonly caFile?: string;
  /** This client's certificate and key, where the brokers ask for one. */
  readonly certFile?: string;
  readonly keyFile?: string;
  /** The name that certificates have to show, where it isn't the host's. */
  readonly serverName?: string;
}

/** What a connection is opened with. */
export interface TlsSettings {
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
  readonly servername?: string;
}

type Part = 'ca' | 'cert' | 'key';

/**
 * The certificates for new connections, read anew for each: who renews them writes the files, and restarts nobody. Where
 * they can't be used (a file is away, or a key is not yet that of the new certificate), the last good ones serve on.
 */
export class TlsSource {
  readonly #options: KafkaTlsOptions;
  #good: TlsSettings | null = null;
  /** Why they couldn't be used the last time, which is told once. */
  #told: string | null = null;

  constructor(options: KafkaTlsOptions) {
    this.#options = options;
  }

  /** Reads them for the first time: all that is wrong with them; nothing, when they can be used. */
  check(): string[] {
    const { certFile, keyFile } = this.#options;
    const problems: string[] = [];
    const settings = this.#read(problems);
    if ((certFile === undefined) !== (keyFile === undefined)) problems.push('tls.certFile and tls.keyFile go together');
    try {
      createSecureContext(settings);
    } catch (error) {
      problems.push(`tls: ${errorText(error)}`);
    }
    if (problems.length === 0) this.#good = settings;
    return problems;
  }

  /** For a connection that is opened now. */
  current(logger: Logger): TlsSettings {
    const good = this.#good;
    const problems: string[] = [];
    const settings = this.#read(problems);
    if (problems.length === 0 && (good === null || !isSame(settings, good))) {
      try {
        createSecureContext(settings);
        this.#good = settings;
      } catch (error) {
        problems.push(`tls: ${errorText(error)}`);
      }
    }
    const problem = problems.length === 0 ? null : problems.join('; ');
    if (problem !== null && problem !== this.#told) {
      logger.warn('Kafka: certificates can not be read again; the last ones are used on', { problem });
    }
    this.#told = problem;
    return this.#good ?? settings;
  }

  #read(problems: string[]): TlsSettings {
    const { caFile, certFile, keyFile, serverName } = this.#options;
    const settings: { [part in Part]?: Buffer } = {};
    for (const [part, path] of [
      ['ca', caFile],
      ['cert', certFile],
      ['key', keyFile],
    ] as const) {
      if (path === undefined) continue;
      try {
        settings[part] = readFileSync(path);
      } catch (error) {
        problems.push(`tls.${part}File: ${errorText(error)}`);
      }
    }
    return serverName === undefined ? settings : { ...settings, servername: serverName };
  }
}

function isSame(one: TlsSettings, other: TlsSettings): boolean {
  return (['ca', 'cert', 'key'] as const).every((part) => {
    const bytes = other[part];
    return bytes === undefined ? one[part] === undefined : one[part]?.equals(bytes) === true;
  });
}
