import { existsSync } from 'node:fs';
import { LmdbBackupStore } from '@holdfast/embedded';
import { formatUnit, hashUnit, unitHashOut } from '@holdfast/model';
import { decodeRow } from '@holdfast/processor';
import { CliError } from '../cli-error.ts';
import { embeddedPart } from '../embedded-part.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Io } from '../io.ts';

export interface DiscardOptions {
  readonly data: string;
  readonly yes?: boolean;
}

/**
 * Removes the stored row of a user from the embedded store of a data folder, if it can't be read; without `yes` it only
 * says whether it can. @throws CliError when there is no such row, or nothing is wrong with it
 */
export async function discardRow(key: Uint8Array, { data, yes }: DiscardOptions, io: Io): Promise<void> {
  const instead = 'holdfast config show --config FILE of such a node says where it is, and this command knows no other';
  const storePath = embeddedPart(data, 'store', instead);
  hashUnit(key, 0, key.length);
  const unit = { ...unitHashOut };
  const name = formatUnit(unit.hi, unit.lo);
  const store = existsSync(storePath) ? await LmdbBackupStore.open(storePath) : null;
  try {
    const problem = store === null ? null : await problemOf(store, unit);
    if (store === null || problem === null) throw notFound(name);
    io.note(`unit ${name}: ${problem}\n`);
    if (yes !== true) return io.note('nothing was removed: say --yes to do it\n');
    // A node may have mended or removed it since the look.
    if (!(await store.discard(unit, isReadable))) throw notFound(name);
    io.note('removed: after holdfast user release KEY the user begins anew\n');
  } finally {
    await store?.close();
  }
}

function notFound(name: string): CliError {
  return new CliError(exitCodes.notFound, 'NOT_FOUND', `nothing is stored of unit ${name} that can't be read`);
}

/** Null: nothing is stored, or it can be read. */
async function problemOf(store: LmdbBackupStore, unit: { hi: number; lo: number }): Promise<string | null> {
  try {
    const row = (await store.read(unit))?.row ?? null;
    return row === null || isReadable(row) ? null : 'its stored row is of a format that this version does not know';
  } catch (error) {
    if ((error as { code?: unknown }).code === 'CORRUPT') return (error as Error).message;
    throw error;
  }
}

function isReadable(row: Uint8Array): boolean {
  try {
    decodeRow(row);
    return true;
  } catch {
    return false;
  }
}
