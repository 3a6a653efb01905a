import type { BackupStore, ControlPlane, UserQueryAnswer } from '@holdfast/engine';
import { ByteFormatError, compareBytes, formatUnit, hashUnit, partitionKey, unitHashOut } from '@holdfast/model';
import { decodeRow } from '@holdfast/processor';
import type { CompiledJob } from '@holdfast/sdk';
import { decodeText } from '../job/fast-text.ts';
import { shownState } from '../job/shown-state.ts';
import { type UserDocument, userSchemaName } from '../status/user-document.ts';

const queryDeadlineMs = 2_000;

/** What the store has of one user. */
export interface StoredUser {
  readonly state: Uint8Array;
  readonly epoch: number;
  readonly savedUnixMs: number;
  readonly applied: Readonly<Record<string, string>>;
}

/** A user's part of its unit's row; null when the store has none. */
export async function readStoredUser(store: BackupStore, key: Uint8Array): Promise<StoredUser | null> {
  hashUnit(key, 0, key.length);
  const { hi, lo } = unitHashOut;
  const stored = await store.read({ hi, lo });
  if (stored === null || stored.row === null) return null;
  const { users, vector } = decodeRow(stored.row);
  const user = users.find((other) => compareBytes(other.key, key) === 0);
  if (user === undefined) return null;
  const applied = vector.map(({ partition, offset }) => [partitionKey(partition), String(offset)] as const);
  return {
    state: user.state,
    epoch: stored.epoch,
    savedUnixMs: stored.savedUnixMs,
    applied: Object.fromEntries(applied),
  };
}

/** A row that can't be read, by the store or here, is no failure of who asks for it. */
async function readOrWhyNot(
  store: BackupStore,
  key: Uint8Array,
): Promise<{ readonly stored: StoredUser | null; readonly problem: string | null }> {
  try {
    return { stored: await readStoredUser(store, key), problem: null };
  } catch (error) {
    const isBent = error instanceof ByteFormatError || (error as { readonly code?: unknown }).code === 'CORRUPT';
    if (!isBent) throw error;
    return { stored: null, problem: "its stored row can't be read" };
  }
}

/** As text; keys that aren't UTF-8 as 0x and hex. */
export function showKey(key: Uint8Array): string {
  return decodeText(key, 0, key.length) ?? `0x${Buffer.from(key).toString('hex')}`;
}

/**
 * Looks a user up at its holder, else in the store; null: the cluster has never seen the key.
 * @throws Error when only this node, whose view nobody confirms, knows no holder: one may have the user and no backup yet
 */
export async function lookUpUser(
  key: Uint8Array,
  parts: {
    readonly nodeId: string;
    readonly control: ControlPlane;
    readonly store: BackupStore;
    readonly job: CompiledJob;
    readonly confirm: () => Promise<'leader' | 'local'>;
  },
): Promise<UserDocument | null> {
  const { control, store, job } = parts;
  const consistency = await parts.confirm();
  const asked = await control.queryUser(key, queryDeadlineMs);
  const { holder, answer } = asked;
  const held = answer?.code === 'OK' ? answer.user : null;
  const live = held !== null && held.view !== null ? held : null;
  const { stored, problem } = live === null ? await readOrWhyNot(store, key) : { stored: null, problem: null };
  const shown =
    stored === null ? { view: null, error: held?.stateError ?? problem } : shownState(job, stored.state, key);
  hashUnit(key, 0, key.length);
  const { hi, lo } = unitHashOut;
  const quarantined = control.table.quarantine.isQuarantined(hi, lo);
  // Whose first record was the one has no state.
  if (live === null && stored === null && problem === null && !quarantined && isUnknown(asked)) {
    if (consistency === 'local' && holder === null) throw new Error('not known here, and no leader confirms it');
    return null;
  }
  const unit = formatUnit(hi, lo);
  const session = control.status().table.sessions.find(({ session }) => session === holder?.session);
  const reached = answer?.code === 'OK';
  return {
    schema: userSchemaName,
    at: new Date().toISOString(),
    user: showKey(key),
    unit,
    via: parts.nodeId,
    consistency,
    index: holder === null ? null : String(holder.tableIndex),
    holder:
      holder === null
        ? null
        : {
            node: holder.nodeId,
            shard: holder.shard,
            addr: session?.shards[holder.shard]?.address ?? null,
            reachable: reached,
            error: answer !== null && answer.code !== 'OK' ? answer.text : (held?.stateError ?? null),
          },
    history: control.holderHistory(hi, lo).map(({ kind, nodeId, shard, index, atUnixMs }) => ({
      how: kind,
      node: nodeId,
      shard,
      index: String(index),
      at: atUnixMs === null ? null : new Date(atUnixMs).toISOString(),
    })),
    leaseEpoch: String(holder?.epoch ?? stored?.epoch ?? 0),
    quarantined,
    source: live === null ? 'backup' : 'holder',
    // A holder that can't show what it has, or doesn't answer, knows more.
    stale: live === null && holder !== null && (!reached || held?.stateError != null),
    job: job.name,
    state: live !== null ? live.view : shown.view,
    stateError: shown.error,
    backup: {
      ageMs: live !== null ? live.backupAgeMs : stored === null ? null : Date.now() - stored.savedUnixMs,
      dirty: live?.dirty ?? false,
    },
    recPerSec: live?.recordsPerSec ?? null,
    applied:
      live === null
        ? (stored?.applied ?? {})
        : Object.fromEntries(Object.entries(live.applied).map(([id, offset]) => [id, String(offset)])),
  };
}

/** Of whom the store has nothing: does anybody know that there is nothing? A holder may, which has answered and has no fault. */
export function isUnknown({ holder, answer }: UserQueryAnswer): boolean {
  if (holder === null) return true;
  return answer?.code === 'OK' && (answer.user === null || answer.user.stateError === null);
}
