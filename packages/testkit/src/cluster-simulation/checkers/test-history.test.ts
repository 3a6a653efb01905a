import { SeededRng, topicId } from '@holdfast/model';
import { encodeRow } from '@holdfast/processor';
import { type LedgerState, ledgerJob } from '../cluster-job.ts';
import { Ledger } from '../ledger.ts';
import { encodeRecord, type RecordKind } from '../record-format.ts';
import { StoreLife } from '../store-life.ts';
import { drawUsers, type SimulatedUser } from '../users.ts';
import { StoredRows } from './stored-rows.ts';

export const partition = { topicId: topicId('id-of-in'), partition: 0 };

/** A ledger with some records of one user in partition 0, and the states that come of the first n of them. */
export function history(kinds: readonly RecordKind[] = ['r', 'e', 'r']) {
  const users = drawUsers(new SeededRng(5), 12);
  const user = users[0]!;
  const ledger = new Ledger(users);
  const job = ledgerJob(1_000, () => {});
  const offsets: number[] = [];
  for (const kind of kinds) {
    const value = encodeRecord(kind, user.key, 7, 0);
    const record = { key: null, value, amount: 7, kind, user: kind === '?' ? null : user, appendedUnixMs: 0 };
    if (ledger.note(0, record).place >= 0) offsets.push(ledger.partitions[0]!.length - 1);
  }
  const stateOf = (count: number): LedgerState => {
    const state = job.initialState(user.key);
    for (const offset of offsets.slice(0, count)) {
      const bytes = ledger.partitions[0]![offset]!.value!;
      const record = { topic: 'in', partition: 0, offset, timestampUnixMs: 0, bytes, valueStart: 0 };
      job.apply(state, user.key, { ...record, valueEnd: bytes.length }, { emit() {} });
    }
    return state;
  };
  const stored = new StoredRows(ledger);
  const life = new StoreLife('life-1');
  stored.noteLife(life);
  stored.noteRecord({ kind: 'generationChanged', storeGeneration: 'life-1', number: 1, continues: true });
  const rowOf = (count: number, of: SimulatedUser = user): Uint8Array => {
    const state = job.encodeState(stateOf(count));
    return encodeRow({ vector: [], users: [{ key: of.key, job: job.name, state }] });
  };
  let seq = 0;
  const put = (count: number): Uint8Array => {
    life.backup({ ...user.unit, epoch: 5, seq: ++seq, row: rowOf(count), savedUnixMs: 0 });
    return life.rows.get(user.unitKey)!.row!;
  };
  return { users, user, ledger, stateOf, stored, life, rowOf, put };
}
