import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeUtf8 } from '@holdfast/model';
import { encodeRow } from '@holdfast/processor';
import { LeaseModel } from '../../simulation/checkers/lease-model.ts';
import { watched } from '../../simulation/checkers/test-watch.test.ts';
import { ledgerJob } from '../cluster-job.ts';
import { advance, firstHash, orderAfter } from '../fingerprint.ts';
import { CleanEnds } from './clean-ends.ts';
import { DistinctUsers } from './distinct-users.ts';
import { DurableOffsets } from './durable-offsets.ts';
import { FencedReports } from './fenced-reports.ts';
import { GapRule } from './gap-rule.ts';
import { GrantedEpochs } from './granted-epochs.ts';
import { MarkerTruth } from './marker-truth.ts';
import { OneApplier } from './one-applier.ts';
import { OutputsFirst } from './outputs-first.ts';
import { ReplayEquality } from './replay-equality.ts';
import { StoreAcceptance } from './store-acceptance.ts';
import { history, partition } from './test-history.test.ts';
import { UserStates } from './user-states.ts';

test('I1: one shard applies under an epoch, after its claim, and not after a clean end', () => {
  const { report, saw, sawNothing } = watched();
  const { user } = history();
  const model = new LeaseModel(report);
  const checker = new OneApplier(report, model);
  const [a, b] = [1, 2].map((serial) => ({ serial, session: serial, index: 0 })) as [never, never];
  checker.onApply(a, user);
  saw('I1');
  checker.onClaimAnswered(1, { ...user.unit, epoch: 5 }, { code: 'OK', row: null, markers: [] });
  checker.onApply(a, user);
  sawNothing();
  checker.onClaimAnswered(2, { ...user.unit, epoch: 5 }, { code: 'OK', row: null, markers: [] });
  checker.onApply(b, user);
  saw('I1');
  const units = Uint32Array.of(user.unit.hi, user.unit.lo);
  checker.onRecord({ kind: 'released', units, epochs: Float64Array.of(5) });
  checker.onApply(a, user);
  saw('I1');
});

test('I2, I3: what a store accepts', () => {
  const { report, saw, sawNothing } = watched();
  const { life, user } = history();
  const checker = new StoreAcceptance(report);
  const row = (epoch: number, seq: number) => ({ ...user.unit, epoch, seq, row: new Uint8Array(0), savedUnixMs: 0 });
  checker.onClaimed(life, { ...user.unit, epoch: 5 }, { code: 'OK', row: null, markers: [] });
  checker.onBackup(life, row(5, 1), { code: 'OK' });
  checker.onBackup(life, row(5, 1), { code: 'OK' });
  checker.onBackup(life, row(4, 9), { code: 'FENCED', epoch: 5 });
  checker.onBackup(life, row(5, 0), { code: 'STALE' });
  sawNothing();
  checker.onBackup(life, row(4, 9), { code: 'OK' });
  saw('I3');
  checker.onBackup(life, row(4, 1), { code: 'OK' });
  saw('I2');
});

test('I2: a bent row is answered so, and nothing else is; a claim behind its stamp raises that', () => {
  const { report, saw, sawNothing } = watched();
  const { user, life } = history();
  const checker = new StoreAcceptance(report);
  const row = (epoch: number, seq: number) => ({ ...user.unit, epoch, seq, row: new Uint8Array(0), savedUnixMs: 0 });
  const corrupt = { code: 'CORRUPT', problem: '', markers: [] } as const;
  checker.onBackup(life, row(5, 1), { code: 'OK' });
  life.bent.set(user.unitKey, 'row');
  checker.onClaimed(life, { ...user.unit, epoch: 6 }, corrupt);
  checker.onBackup(life, row(5, 2), { code: 'FENCED', epoch: 6 });
  checker.onBackup(life, row(6, 1), { code: 'OK' });
  life.bent.set(user.unitKey, 'all');
  checker.onClaimed(life, { ...user.unit, epoch: 7 }, corrupt);
  checker.onBackup(life, row(7, 1), corrupt);
  sawNothing();
  checker.onBackup(life, row(7, 1), { code: 'OK' });
  saw('I2');
  life.bent.clear();
  checker.onClaimed(life, { ...user.unit, epoch: 8 }, corrupt);
  saw('I2');
});

test('I5: of a unit whose row was bent, what the row lacks is buried', () => {
  const { report, saw, sawNothing } = watched();
  const { user, ledger, stored, life, put } = history();
  const { offsets } = ledger.part(user.index, 0);
  const buried = new Set(offsets.slice(1));
  const checker = new UserStates(report, ledger, stored, {
    isBuried: (_, offset) => buried.has(offset),
    wasBent: () => true,
  });
  put(2);
  checker.compare(life);
  sawNothing();
  buried.delete(offsets[1]!);
  checker.compare(life);
  sawNothing();
  buried.delete(offsets[2]!);
  checker.compare(life);
  saw('I5');
});

test('I4: epochs that the log never gave', () => {
  const { report, saw, sawNothing } = watched();
  const { user } = history();
  const model = new LeaseModel(report);
  const checker = new GrantedEpochs(report, model);
  model.base = 100;
  model.sessions.set(1, { nodeId: 'n1' as never, closing: false, address: '' });
  const units = Uint32Array.of(user.unit.hi, user.unit.lo);
  const granted = { kind: 'granted', session: 1 as never, shard: 0 as never, units } as const;
  model.apply(granted, 3, 0);
  checker.onRecord(granted, 3);
  const row = { ...user.unit, seq: 1, row: new Uint8Array(0), savedUnixMs: 0 };
  checker.onClaimed({ serial: 9, session: 1, index: 0 }, { ...user.unit, epoch: 103 });
  checker.onBackup({ serial: 9, session: 1, index: 0 }, { ...row, epoch: 103 });
  sawNothing();
  checker.onBackup({ serial: 9, session: 1, index: 0 }, { ...row, epoch: 104 });
  saw('I4');
  checker.onBackup({ serial: 8, session: 1, index: 1 }, { ...row, epoch: 103 });
  saw('I4');
  checker.onClaimed({ serial: 9, session: 1, index: 0 }, { ...user.unit, epoch: 104 });
  saw('I4');
  checker.onClaimed({ serial: 8, session: 2, index: 0 }, { ...user.unit, epoch: 103 });
  saw('I4');
});

test('I5: rows have the first records of their users, and in the end all', () => {
  const { report, saw, sawNothing } = watched();
  const { ledger, stored, life, put, rowOf } = history();
  const checker = new UserStates(report, ledger, stored);
  for (const user of stored.usersOf(rowOf(2))) checker.onRow(user);
  put(3);
  checker.compare(life);
  sawNothing();
  const [other] = stored.usersOf(rowOf(2));
  checker.onRow({ ...other!, state: { ...other!.state, prints: [advance(firstHash, 1)] } });
  saw('I5');
  put(2);
  assert.throws(() => {
    checker.compare(life);
    sawNothing();
  });
});

test('I6: committed offsets and markers vouch for rows, and rows keep what was vouched for', () => {
  const { report, saw, sawNothing } = watched();
  const { ledger, stored, life, put, user } = history(['r', '?', 'e', 'r']);
  const outputs = new OutputsFirst(report, ledger);
  const checker = new DurableOffsets(report, ledger, stored, outputs);
  const markers = new MarkerTruth(report, ledger, stored);
  const bucket = user.unit.lo & 1_023;
  put(2);
  checker.onCommitted({ partition, offset: 1, generationId: 'life-1', fence: 1 });
  markers.onMarked(life, [{ bucket, partition, offset: 3 }]);
  sawNothing();
  checker.onCommitted({ partition, offset: 3, generationId: 'life-1', fence: 1 });
  saw('I6');
  outputs.onAppended('dead', [{ key: null, value: null, headers: { id: 'ledger/1/in/0/1/dead' } }]);
  checker.onCommitted({ partition, offset: 3, generationId: 'life-1', fence: 1 });
  sawNothing();
  checker.onCommitted({ partition, offset: 4, generationId: 'life-1', fence: 1 });
  saw('I6');
  checker.onCommitted({ partition, offset: 1, generationId: 'life-2', fence: 1 });
  saw('I6');
  markers.onMarked(life, [{ bucket, partition, offset: 4 }]);
  saw('I6');
  checker.onRow(life, user.unitKey, put(1));
  saw('I6');
});

test('I6: a clean end with records that no store has', () => {
  const { report, saw, sawNothing } = watched();
  const { user, stored, stateOf, rowOf } = history();
  const units = Uint32Array.of(user.unit.hi, user.unit.lo);
  const released = { kind: 'released', units, epochs: Float64Array.of(5) } as const;
  const ended = (reason: 'clean' | 'expired') => {
    const model = new LeaseModel(report);
    model.ended.set(1, { index: 9, reason, atMs: 0 });
    const checker = new CleanEnds(report, model);
    return { checker, end: () => checker.onRecord({ kind: 'sessionEnded', session: 1 as never, reason }) };
  };
  const { checker } = ended('clean');
  checker.onApply(1, 5, user, stateOf(1), 0);
  checker.onRow(user.unitKey, 5, stored.usersOf(rowOf(2)));
  checker.onRecord(released);
  sawNothing();
  checker.onApply(1, 5, user, stateOf(2), 0);
  checker.onRow(user.unitKey, 5, stored.usersOf(rowOf(2)));
  checker.onRecord(released);
  saw('I6');
  for (const reason of ['clean', 'expired'] as const) {
    const { checker, end } = ended(reason);
    checker.onApply(1, 5, user, stateOf(0), 0);
    end();
    if (reason === 'clean') saw('I6');
    else sawNothing();
  }
  // A node that hasn't heard that its lease was taken away applies on, and later ends its session clean.
  const late = ended('clean');
  late.checker.onApply(1, 5, user, stateOf(0), 0);
  late.checker.onRecord({ kind: 'forceReleased', ...user.unit, epoch: 5 as never });
  late.checker.onApply(1, 5, user, stateOf(1), 0);
  late.end();
  sawNothing();
});

test('I6: a report without the end after which a row was fenced', () => {
  const { report, saw, sawNothing } = watched();
  const { user } = history();
  const model = new LeaseModel(report);
  const checker = new FencedReports(report, model);
  const shard = { serial: 1, session: 4, index: 2 };
  const row = { ...user.unit, epoch: 5, seq: 1, row: new Uint8Array(0), savedUnixMs: 0 };
  const durable = (tableIndex: number) =>
    checker.onReturn({ session: 4, shard: 2 } as never, { kind: 'durable', frame: 1, tableIndex });
  checker.onRecord({ kind: 'forceReleased', ...user.unit, epoch: 5 as never }, 30);
  durable(29);
  checker.onAnswered(shard, row, { code: 'OK' });
  durable(29);
  sawNothing();
  checker.onAnswered(shard, row, { code: 'FENCED', epoch: 6 });
  durable(30);
  sawNothing();
  durable(29);
  saw('I6');
  model.ended.set(4, { index: 40, reason: 'expired', atMs: 0 });
  checker.onAnswered(shard, { ...row, epoch: 7 }, { code: 'FENCED', epoch: 8 });
  durable(39);
  saw('I6');
});

test('I7: gaps, duplicates, other records', () => {
  const { report, saw, sawNothing } = watched();
  const { ledger, user, users, stateOf } = history();
  const checker = new GapRule(report, ledger);
  checker.onApply(user, stateOf(1), 0, 1);
  sawNothing();
  checker.onApply(user, stateOf(2), 0, 1);
  saw('I7');
  checker.onApply(user, stateOf(1), 0, 2);
  saw('I7');
  checker.onApply(user, { ...stateOf(1), prints: [firstHash] }, 0, 1);
  saw('I7');
  checker.onApply(users[1]!, stateOf(1), 0, 1);
  saw('I7');
});

test('I9: a state is of one user', () => {
  const { report, saw, sawNothing } = watched();
  const { user, users, stateOf, stored, rowOf } = history();
  const checker = new DistinctUsers(report);
  checker.onApply(user, stateOf(1));
  checker.onRow(user.unitKey, stored.usersOf(rowOf(1)));
  checker.compare();
  sawNothing();
  checker.onApply(users[1]!, stateOf(1));
  saw('I9');
  checker.onRow(users[1]!.unitKey, stored.usersOf(rowOf(1, users[1]!)));
  saw('I9');
  Object.defineProperty(Object.prototype, 'polluted', { value: 1, configurable: true });
  checker.compare();
  Reflect.deleteProperty(Object.prototype, 'polluted');
  saw('I9');
});

test('I23: a state that no replay gives', () => {
  const { report, saw, sawNothing } = watched();
  const { ledger, stored, life, put, user } = history();
  const checker = new ReplayEquality(report, ledger, stored);
  let order = firstHash;
  for (const offset of [0, 1, 2]) {
    checker.onApply(user.index, order, 0, offset);
    order = orderAfter(order, 0, offset);
  }
  put(3);
  checker.compare(life);
  sawNothing();
  const row = life.rows.get(user.unitKey)!.row!;
  const [restored] = stored.usersOf(row);
  const bent = ledgerJob(1_000, () => {}).encodeState({ ...restored!.state, balance: restored!.state.balance + 1e-9 });
  const users = [{ key: user.key, job: 'ledger', state: bent }];
  life.backup({ ...user.unit, epoch: 6, seq: 1, row: encodeRow({ vector: [], users }), savedUnixMs: 0 });
  checker.compare(life);
  saw('I23');
});

test('P6: a row before its outputs, two outputs under one id', () => {
  const { report, saw, sawNothing } = watched();
  const { ledger, stored, rowOf } = history();
  const checker = new OutputsFirst(report, ledger);
  const [user] = stored.usersOf(rowOf(2));
  checker.onRow(user!);
  saw('P6');
  const output = { key: null, value: encodeUtf8('0/1'), headers: { id: 'ledger/1/in/0/1/0' } };
  checker.onAppended('out', [output]);
  checker.onRow(user!);
  sawNothing();
  checker.onAppended('out', [{ ...output, value: encodeUtf8('0/2') }]);
  saw('P6');
});

test('P6: outputs and dead letters of records that have none', () => {
  const { report, saw, sawNothing } = watched();
  const { ledger } = history(['r', 'e', 't', '?']);
  const checker = new OutputsFirst(report, ledger);
  const letter = (offset: number, reason: string) =>
    checker.onAppended('dead', [{ key: null, value: null, headers: { id: `ledger/1/in/0/${offset}/dead`, reason } }]);
  const output = (offset: number) =>
    checker.onAppended('out', [
      { key: null, value: encodeUtf8(`0/${offset}`), headers: { id: `ledger/1/in/0/${offset}/0` } },
    ]);
  output(1);
  letter(2, 'handler');
  letter(3, 'broken');
  letter(0, 'quarantined');
  sawNothing();
  for (const offset of [0, 2]) {
    output(offset);
    saw('P6');
  }
  for (const offset of [0, 1, 4]) {
    letter(offset, 'handler');
    saw('P6');
  }
});
