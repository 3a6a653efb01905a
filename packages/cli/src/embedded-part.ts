import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { openDataFolder } from '@holdfast/embedded';
import { failed } from './cli-error.ts';
import { requireDataFolder } from './client-addresses.ts';
import { readDevFile } from './dev/dev-file.ts';

/**
 * Where the embedded log or store of a data folder is, or will be: it may not be there yet.
 * @param instead what its user gives where the folder's nodes keep theirs elsewhere
 * @throws CliError when the folder isn't one, or has nodes and none of this: an answer would be about nothing
 */
export function embeddedPart(dir: string, part: 'log' | 'store', instead: string): string {
  requireDataFolder(dir);
  const opened = openDataFolder(dir, Date.now());
  if (opened.code !== 'OK') throw failed(opened.code, opened.text);
  const { logPath, storePath } = opened.folder;
  const path = part === 'log' ? logPath : storePath;
  if (existsSync(path) || readdirSync(join(opened.folder.dir, 'nodes')).length === 0) return path;
  // The nodes of a dev cluster always keep both here, and a moment ago its first one may have begun to.
  if (readDevFile(dir) !== null) return path;
  throw failed('KEPT_ELSEWHERE', `nodes have run on ${dir}, and their ${part} is not in it; ${instead}`);
}
