import { closeSync, openSync, readdirSync, readFileSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import {
  type CrashKnowledge,
  type CrashNote,
  type CrashReports,
  isSuspect,
  learn,
  nothingKnown,
} from '@holdfast/engine';
import type { CrashNotes } from '@holdfast/processor';
import { CrashNoteEncoder, decodeCrashNote, kindAt, kindCodes } from './crash-note-codec.ts';
import { makeFolders, replaceFile } from './durable-file.ts';

const knownFile = 'known.json';
const notePrefix = 'shard-';

/**
 * Reads what the shards of earlier processes left in the folder, making it when missing, and remembers it there. Call it
 * before any of this process's shards opens its notes, under the node's folder lock.
 * @throws file errors
 */
export function openCrashFolder(dir: string): CrashReports {
  makeFolders(dir);
  const noteFiles = readdirSync(dir).filter((name) => name.startsWith(notePrefix));
  const notes = noteFiles
    .map((name) => decodeCrashNote(readFileSync(join(dir, name))))
    .filter((note): note is CrashNote => note !== null);
  let known = readKnown(dir);
  const remember = (now: CrashKnowledge): void => {
    known = now;
    replaceFile(join(dir, knownFile), `${JSON.stringify({ format: 1, ...known })}\n`);
  };
  if (notes.length > 0) remember(learn(known, notes));
  // Their crash counts once, whatever happens now: it has the counter of the process that it ended.
  for (const name of noteFiles) unlinkSync(join(dir, name));
  return {
    get pending() {
      return known.crashes;
    },
    told: () => {
      if (known.crashes.length > 0) remember({ ...known, crashes: [] });
    },
  };
}

/**
 * Opens the notes of one shard for one incarnation. Each note is one write at the beginning of a small file, without a sync:
 * it has to outlive the process, not the machine.
 * @param onFailed a note couldn't be written; called once, and none is written after it
 * @throws file errors
 */
export function openCrashNotes(
  dir: string,
  shard: number,
  counter: number,
  onFailed: (error: unknown) => void,
): CrashNotes & { close(): void } {
  const { suspects } = readKnown(dir);
  const fd = openSync(join(dir, `${notePrefix}${shard}`), 'w', 0o644);
  const encoder = new CrashNoteEncoder(counter);
  const none = Buffer.of(kindCodes.none);
  let isBroken = false;
  let isClosed = false;
  const write = (bytes: Buffer): void => {
    // The number of a closed file may be another file's by then.
    if (isBroken || isClosed) return;
    try {
      writeSync(fd, bytes, 0, bytes.length, kindAt);
    } catch (error) {
      isBroken = true;
      onFailed(error);
    }
  };
  return {
    frame: (partition, first, last) => write(encoder.encode('frame', 0, 0, partition, first, last)),
    record: (hi, lo, partition, offset) => write(encoder.encode('record', hi, lo, partition, offset, offset)),
    clear: () => write(none),
    isSuspect: (partition, first, last) => suspects.length > 0 && isSuspect(suspects, partition, first, last),
    close: () => {
      if (isClosed) return;
      isClosed = true;
      closeSync(fd);
    },
  };
}

/** What can't be read is forgotten: crashes that go on are seen again. */
function readKnown(dir: string): CrashKnowledge {
  try {
    const { crashes, suspects } = JSON.parse(readFileSync(join(dir, knownFile), 'utf8')) as Partial<CrashKnowledge>;
    return Array.isArray(crashes) && Array.isArray(suspects) ? { crashes, suspects } : nothingKnown;
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    if (!isMissing && !(error instanceof SyntaxError)) throw error;
    return nothingKnown;
  }
}
