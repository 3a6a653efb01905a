export { RedisStoreError, type RedisStoreErrorCode, redisStoreErrorCodes } from './errors.ts';
export {
  type CompiledRedisOptions,
  compileRedisOptions,
  type RedisStoreOptions,
  type RedisTlsOptions,
  redisStoreDefaults,
} from './options.ts';
export { RedisBackupStore } from './redis-backup-store.ts';
export type { Persistence, ServerFacts } from './server-check.ts';
export { functionName, librarySource } from './store-function.ts';
