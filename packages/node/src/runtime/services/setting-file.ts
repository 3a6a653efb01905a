import { readFileSync } from 'node:fs';
import type { Secret, TlsConfig } from '../../config/service-config.ts';
import { ServiceError } from './service-error.ts';

/** What a file that a setting names holds. @throws ServiceError FILE_UNREADABLE */
export function readSettingFile(setting: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const why = code === 'ENOENT' ? 'there is no such file' : code === 'EISDIR' ? 'it is a folder' : String(code);
    throw new ServiceError('FILE_UNREADABLE', `${setting}: ${path} can't be read: ${why}`, { cause });
  }
}

/** The secret itself. A file may end with a line break, as editors leave it. @throws ServiceError FILE_UNREADABLE */
export function readSecret(setting: string, secret: Secret): string {
  if ('text' in secret) return secret.text;
  const text = readSettingFile(setting, secret.file)
    .toString('utf8')
    .replace(/\r?\n$/, '');
  if (text === '') throw new ServiceError('FILE_UNREADABLE', `${setting}: ${secret.file} is empty`);
  return text;
}

/** Certificates and key as PEM, and the name to expect. @throws ServiceError FILE_UNREADABLE */
export function readTls(group: string, { caFile, certFile, keyFile, serverName }: TlsConfig) {
  const read = (name: string, path: string) => readSettingFile(`${group}.${name}`, path);
  return {
    ...(caFile === null ? {} : { ca: read('tlsCa', caFile) }),
    ...(certFile === null ? {} : { cert: read('tlsCert', certFile) }),
    ...(keyFile === null ? {} : { key: read('tlsKey', keyFile) }),
    ...(serverName === null ? {} : { servername: serverName }),
  };
}
