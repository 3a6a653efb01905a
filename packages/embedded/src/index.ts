export { openCrashFolder, openCrashNotes } from './crash-folder.ts';
export {
  type DataFolder,
  type FolderErrorCode,
  type FolderRefusal,
  folderErrorCodes,
  type OpenedDataFolder,
  openDataFolder,
} from './data-folder.ts';
export { EmbeddedError, type EmbeddedErrorCode, embeddedErrorCodes } from './errors.ts';
export {
  completeRuns,
  type FeedBegin,
  type FeedOptions,
  type FeedProgress,
  feedFile,
  feedStream,
  lineBytesCap,
  lineBytesMaxDefault,
} from './feed.ts';
export { type FolderLock, lockFolder } from './folder-lock.ts';
export { LmdbBackupStore } from './lmdb-backup-store.ts';
export { defaultEnvLimits, type EnvLimits } from './lmdb-env.ts';
export { LmdbLog } from './lmdb-log.ts';
export { LmdbRaftStorage } from './lmdb-raft-storage.ts';
export { type NodeFolder, type OpenedNodeFolder, openNodeFolder } from './node-folder.ts';
