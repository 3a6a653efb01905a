import type { PathOf } from './convert-services.ts';
import type { NodeTlsConfig } from './node-config.ts';
import type { Settings } from './settings-schema.ts';

const names = ['ca', 'cert', 'key'] as const;

/** TLS needs all three files; whoever forgets one must not run plain. The settings of the group `tls` that are missing. */
export function missingTls({ tls }: Pick<Settings, 'tls'>): string[] {
  const missing = names.filter((name) => tls[name] === undefined);
  return missing.length === names.length ? [] : missing.map((name) => `tls.${name}`);
}

/** The checked settings of the group `tls`. */
export function convertOwnTls({ tls: { ca, cert, key } }: Pick<Settings, 'tls'>, at: PathOf): NodeTlsConfig | null {
  if (ca === undefined || cert === undefined || key === undefined) return null;
  return { caFile: at('tls.ca', ca), certFile: at('tls.cert', cert), keyFile: at('tls.key', key) };
}
