import { resolve } from 'node:path';
import type { TlsFiles } from '@holdfast/transport-grpc';
import { type Command, Option } from 'commander';
import { usage } from './cli-error.ts';
import type { Io } from './io.ts';

/** Where the operator's certificate is, as commander hands it over. */
export interface TlsOptions {
  readonly tlsCa?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
}

const parts = ['ca', 'cert', 'key'] as const;
const given = {
  ca: { option: 'tlsCa', flag: '--tls-ca', env: 'HOLDFAST_TLS_CA' },
  cert: { option: 'tlsCert', flag: '--tls-cert', env: 'HOLDFAST_TLS_CERT' },
  key: { option: 'tlsKey', flag: '--tls-key', env: 'HOLDFAST_TLS_KEY' },
} as const;

/** By the names of a node's settings: on its machine the same variables do. */
export function withTlsOptions(command: Command): Command {
  const file = (part: keyof typeof given, text: string) =>
    command.addOption(new Option(`${given[part].flag} <file>`, `${text} (${given[part].env})`).conflicts('data'));
  file('ca', "where nodes have certificates: file of who signs theirs and one's own");
  file('cert', "file of one's own certificate, of that authority");
  file('key', 'file of its key');
  return command;
}

/**
 * The certificate that a command shows to nodes, by flags, else by variables; null: plain. A dev cluster has none.
 * @throws CliError when not all three files are named, TlsFilesError when they can't be used
 */
export async function clientTls(
  options: TlsOptions & { readonly data?: string },
  { env, cwd }: Pick<Io, 'env' | 'cwd'>,
): Promise<TlsFiles | null> {
  if (options.data !== undefined) return null;
  const find = (part: keyof typeof given) => {
    const { option, flag, env: name } = given[part];
    const path = options[option] ?? env[name] ?? '';
    return { label: options[option] === undefined ? name : flag, path };
  };
  const found = { ca: find('ca'), cert: find('cert'), key: find('key') };
  const missing = parts.filter((part) => found[part].path === '');
  if (missing.length === parts.length) return null;
  if (missing.length > 0) {
    const flags = missing.map((part) => given[part].flag).join(' and ');
    throw usage(`${flags} missing: --tls-ca, --tls-cert and --tls-key go together, as do their variables`);
  }
  const at = (part: keyof typeof given) => resolve(cwd, found[part].path);
  const files = { caFile: at('ca'), certFile: at('cert'), keyFile: at('key') };
  // Only who has certificates waits for the code that reads them.
  const { readTlsFiles } = await import('@holdfast/node');
  return readTlsFiles(files, { nodeId: null, nowUnixMs: Date.now(), label: (part) => found[part].label });
}
