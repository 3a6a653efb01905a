import { formatUnit, hashUnit, unitHashOut } from '@holdfast/model';
import { showKey, type UserDocument, userSchemaName } from '@holdfast/node';
import { StoredUsers } from './stored-users.ts';

/** One user from a data folder on which no node runs. */
export async function readStored(key: Uint8Array, dataDir: string, jobName: string): Promise<UserDocument | null> {
  const users = await StoredUsers.open(dataDir, jobName);
  try {
    const found = await users.get(key);
    if (found === null) return null;
    const { epoch, savedUnixMs, applied } = found.stored;
    const nowUnixMs = Date.now();
    hashUnit(key, 0, key.length);
    return {
      schema: userSchemaName,
      at: new Date(nowUnixMs).toISOString(),
      user: showKey(key),
      unit: formatUnit(unitHashOut.hi, unitHashOut.lo),
      via: null,
      consistency: 'local',
      index: null,
      holder: null,
      history: [],
      leaseEpoch: String(epoch),
      quarantined: null,
      source: 'backup',
      stale: true,
      job: users.job.name,
      state: found.shown.view,
      stateError: found.shown.error,
      backup: { ageMs: Math.max(0, nowUnixMs - savedUnixMs), dirty: false },
      recPerSec: null,
      applied,
    };
  } finally {
    await users.close();
  }
}
