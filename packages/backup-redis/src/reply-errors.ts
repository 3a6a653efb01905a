import { errorText } from '@holdfast/model';
import { RedisStoreError } from './errors.ts';

/** What to do about a command that was rejected: try again, load the function and try again, or give up. */
export type Remedy = 'retry' | 'reload' | RedisStoreError;

/** Replies that pass by themselves: a server that starts, fails over, moves slots or is busy, or lacks its replicas. */
const passing = new Set([
  'LOADING',
  'CLUSTERDOWN',
  'TRYAGAIN',
  'MOVED',
  'ASK',
  'READONLY',
  'MASTERDOWN',
  'BUSY',
  'NOREPLICAS',
  'UNBLOCKED',
]);
const credentials = new Set(['WRONGPASS', 'NOAUTH', 'NOPERM']);
const full = new Set(['OOM', 'MISCONF']);

/** ioredis hangs the command on its errors, with rows and passwords: loggers print what hangs on errors. */
export function withoutCommand(error: unknown): unknown {
  if (error instanceof Error && 'command' in error) delete error.command;
  return error;
}

/** `at` names the server or servers. ioredis gives a reply's text alone, so its first word is the code. */
export function remedyOf(error: unknown, at: string): Remedy {
  if (error instanceof RedisStoreError) return error;
  withoutCommand(error);
  const text = errorText(error);
  const code = /^[A-Z]+/.exec(text)?.[0] ?? '';
  if (passing.has(code)) return 'retry';
  if (code === 'NOSCRIPT' || /^ERR Function not found/.test(text)) return 'reload';
  if (full.has(code)) {
    const fix = code === 'OOM' ? 'raise maxmemory, or move what else it holds' : 'its disk refuses: see its log';
    return new RedisStoreError('FULL', `${at} takes no writes (${text}): ${fix}`, { cause: error });
  }
  if (credentials.has(code)) {
    return new RedisStoreError(
      'AUTHENTICATION',
      `${at} refuses the user (${text}); deploy/redis/users.acl has its rights`,
      {
        cause: error,
      },
    );
  }
  if (code === 'CORRUPT')
    return new RedisStoreError('CORRUPT', `${at}: ${text.slice('CORRUPT '.length)}`, { cause: error });
  const isReply = error instanceof Error && error.name === 'ReplyError';
  if (isReply) return new RedisStoreError('REFUSED', `${at} refuses a command: ${text}`, { cause: error });
  // The connection, then: cut, closed, timed out. Whether the command was carried out isn't known.
  return 'retry';
}
