import {
  closeSync,
  existsSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { type Rng, randomBelow } from '@holdfast/model';

/** A disk writes so much or nothing of it. */
const sectorBytes = 512;
const entryHeadBytes = 24;

/** Variables with which what stood below unsynced writes is kept. @param folder a part of the paths that are meant */
export function unsyncedWritesEnv(library: string, folder: string, journals: string): Record<string, string> {
  return { LD_PRELOAD: library, CHAOS_UNSYNCED_FOLDER: folder, CHAOS_UNSYNCED_JOURNALS: journals };
}

interface Write {
  readonly at: number;
  readonly bytes: number;
  readonly fileBytes: number;
  /** What stood there; shorter than `bytes` where the file ended. */
  readonly before: Buffer;
}

/**
 * What a power cut does to a file whose writers have been killed: of each sector that was written since the last sync the
 * disk has any of the contents that it had since then.
 * @param keeps `none`: the disk has got nothing since the last sync
 * @returns how many sectors are older now
 */
export function cutPower(path: string, journals: string, keeps: 'none' | 'some', rng: Rng): number {
  if (!existsSync(path)) return 0;
  const journal = join(journals, `${statSync(path).ino}`);
  if (!existsSync(journal)) return 0;
  const writes = readWrites(readFileSync(journal));
  rmSync(journal);
  if (writes.length === 0) return 0;
  const file = openSync(path, 'r+');
  try {
    const bySector = new Map<number, Write[]>();
    for (const write of writes)
      for (let sector = sectorOf(write.at); sector <= sectorOf(write.at + write.bytes - 1); sector++)
        bySector.set(sector, [...(bySector.get(sector) ?? []), write]);
    let lost = 0;
    for (const [sector, its] of bySector) {
      const kept = keeps === 'none' ? 0 : randomBelow(rng, its.length + 1);
      if (kept < its.length) lost++;
      for (const write of its.slice(kept).reverse()) takeBack(file, sector, write);
    }
    const [{ fileBytes }] = writes as [Write];
    if (keeps === 'none' && fileBytes < fstatSync(file).size) ftruncateSync(file, fileBytes);
    return lost;
  } finally {
    closeSync(file);
  }
}

const sectorOf = (at: number): number => Math.floor(at / sectorBytes);

function readWrites(journal: Buffer): Write[] {
  const writes: Write[] = [];
  for (let at = 0; at + entryHeadBytes <= journal.length; ) {
    const beforeBytes = journal.readUInt32LE(at + 12);
    const end = at + entryHeadBytes + beforeBytes;
    if (end > journal.length) break;
    writes.push({
      at: Number(journal.readBigUInt64LE(at)),
      bytes: journal.readUInt32LE(at + 8),
      fileBytes: Number(journal.readBigUInt64LE(at + 16)),
      before: journal.subarray(at + entryHeadBytes, end),
    });
    at = end;
  }
  return writes;
}

/** Beyond the file's end there were zeros, or will have been. */
function takeBack(file: number, sector: number, { at, bytes, before }: Write): void {
  const from = Math.max(at, sector * sectorBytes);
  const to = Math.min(at + bytes, (sector + 1) * sectorBytes);
  const old = Buffer.alloc(to - from);
  before.subarray(from - at, to - at).copy(old);
  writeSync(file, old, 0, old.length, from);
}
