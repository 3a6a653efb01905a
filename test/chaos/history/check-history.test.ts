import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeRecords, type LeaseRecord } from '@holdfast/lease';
import { formatUnit, SeededRng } from '@holdfast/model';
import { encodeRow } from '@holdfast/processor';
import { compileProcessor } from '@holdfast/sdk';
import { drawUsers, encodeRecord, ledgerProcessor, type RecordKind, type SimulatedUser } from '@holdfast/testkit';
import { type CheckOptions, checkHistory } from './check-history.ts';
import type { ApplyLine, HistoryEvent, ProducedLine } from './event.ts';
import type { Recorded } from './read-history.ts';

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
const harness = 0;
const control = 1;
const otherControl = 2;
const shard = 3;
const otherShard = 4;
const epoch = 107;

/** Two users of a unit each: the first with two records that count and a broken one, the second with one. */
const drawn = drawUsers(new SeededRng(5), 12);
const first = drawn[0]!;
const second = drawn.find(({ unitKey }) => unitKey !== first.unitKey)!;

interface Told {
  readonly events: Recorded[];
  readonly options: CheckOptions;
}

/** A history in which all is right: two nodes, one shard that holds both users, one backup, one commit. */
function rightHistory(): Told {
  const job = compileProcessor(ledgerProcessor(1_000, () => {}));
  const events: Recorded[] = [];
  let t = 0;
  const add = (thread: number, event: Record<string, unknown>): void =>
    void events.push({ thread, event: { t: (t += 10), ...event } as unknown as HistoryEvent });

  const produced: [RecordKind, SimulatedUser | null][] = [
    ['r', first],
    ['e', first],
    ['?', null],
    ['r', second],
  ];
  const values = produced.map(([kind, user]) => encodeRecord(kind, user?.key ?? new Uint8Array(0), 7, 0));
  const lines: ProducedLine[] = produced.map(([kind, user], i) => [kind, user?.hex ?? null, 7, base64(values[i]!)]);
  add(harness, { k: 'produce', id: 1, partition: 0, records: lines });
  add(harness, { k: 'produceDone', id: 1, first: 0 });

  const opened = (nodeId: string, uuid: string): LeaseRecord =>
    ({
      kind: 'sessionOpened',
      nodeId,
      uuid,
      counter: 1,
      shards: 1,
      addresses: [nodeId, `${nodeId}s`],
      version: '1',
    }) as never;
  const units = Uint32Array.of(first.unit.hi, first.unit.lo, second.unit.hi, second.unit.lo);
  const entries: readonly LeaseRecord[] = [
    { kind: 'epochBase', base: 100 },
    opened('n1', '00000000-0000-4000-8000-000000000001'),
    opened('n2', '00000000-0000-4000-8000-000000000002'),
    { kind: 'generationChanged', storeGeneration: 'life', number: 1, continues: true },
    { kind: 'nodeDraining', nodeId: 'n2', draining: false } as never,
    { kind: 'nodeDraining', nodeId: 'n2', draining: false } as never,
    { kind: 'granted', session: 2, shard: 0, units } as never,
  ];
  for (const [i, record] of entries.entries())
    for (const thread of [control, otherControl])
      add(thread, { k: 'entry', node: `n${thread}`, index: i + 1, term: 1, data: base64(encodeRecords([record])) });
  add(control, { k: 'raft', message: { type: 'vote', from: 'n1/a', to: 'n2/b', term: 1 } });
  add(otherControl, { k: 'raft', message: { type: 'voteReply', from: 'n2/b', to: 'n1/a', term: 1, granted: true } });
  add(control, { k: 'raft', message: { type: 'heartbeat', from: 'n1/a', to: 'n2/b', term: 1 } });
  add(shard, { k: 'session', session: 2, shard: 0 });
  add(otherShard, { k: 'session', session: 3, shard: 0 });

  const claims = [first, second].map(({ unit }) => [unit.hi, unit.lo, epoch]);
  add(shard, { k: 'claim', id: 1, generation: 'life', claims });
  add(shard, { k: 'claimDone', id: 1, code: 'OK', results: claims.map(() => ['OK', null]) });
  const states = new Map([first, second].map((user) => [user, job.initialState(user.key)]));
  for (const [offset, [, user]] of produced.entries()) {
    if (user === null) continue;
    const state = states.get(user)!;
    const before = {
      count: state.counts[0] ?? 0,
      print: state.prints[0] ?? null,
      order: state.order,
      owner: state.owner,
    };
    add(shard, { k: 'apply', u: user.hex, p: 0, o: offset, ...before } satisfies ApplyLine);
    const bytes = values[offset]!;
    const record = {
      topic: 'in',
      partition: 0,
      offset,
      timestampUnixMs: 0,
      bytes,
      valueStart: 0,
      valueEnd: bytes.length,
    };
    job.apply(state, user.key, record, { emit() {} });
  }
  add(shard, { k: 'append', id: 2, topic: 'out', records: [['ledger/1/in/0/1/0', base64(Buffer.from('0/1'))]] });
  add(shard, { k: 'appendDone', id: 2, first: 0 });
  add(shard, { k: 'append', id: 3, topic: 'dead-letters', records: [['ledger/1/in/0/2/dead', null]] });
  add(shard, { k: 'appendDone', id: 3, first: 0 });
  const rows = [first, second].map((user) => {
    const state = job.encodeState(states.get(user)!);
    const row = base64(encodeRow({ vector: [], users: [{ key: user.key, job: job.name, state }] }));
    return [user.unit.hi, user.unit.lo, epoch, 1, row] as const;
  });
  add(shard, { k: 'backup', id: 4, generation: 'life', rows });
  add(shard, { k: 'backupDone', id: 4, code: 'OK', results: rows.map(() => ['OK']) });
  add(shard, { k: 'mark', id: 5, generation: 'life', marks: [[first.unit.lo & 1_023, 'topic', 0, 4]] });
  add(shard, { k: 'markDone', id: 5, code: 'OK' });
  add(shard, { k: 'commit', id: 6, commits: [['topic', 0, 4, 'life', 105]] });
  add(shard, { k: 'commitDone', id: 6, results: ['ok'] });
  add(shard, { k: 'levels', rssBytes: 100, levels: { streamsOpen: 1, framesInFlight: 2, partitionsRead: 1 } });

  const stored = new Map(rows.map(([hi, lo, , seq, row]) => [formatUnit(hi, lo), { epoch, seq, row }] as const));
  const options = { users: drawn, generation: 'life', stored, rssBytesMax: 1_000, deadLetters: 'dead-letters' };
  return { events, options };
}

function violationsOf({ events, options }: Told): readonly string[] {
  const sorted = [...events].sort((a, b) => a.event.t - b.event.t);
  return checkHistory({ events: sorted, threads: ['harness', 'n1-0', 'n2-0', 'n1-1', 'n2-1'] }, options).violations;
}

/** Changes the right history, in which nothing is found, and says what is found then. */
function found(change: (told: Told) => void): readonly string[] {
  const told = rightHistory();
  change(told);
  return violationsOf(told);
}

type Loose = Record<string, unknown> & { t: number };

/** The n-th event of a kind, to be changed. */
function event({ events }: Told, k: string, n = 0): Loose {
  return events.filter((recorded) => recorded.event.k === k)[n]!.event as unknown as Loose;
}

function saw(violations: readonly string[], invariant: string): void {
  assert.ok(
    violations.some((text) => text.startsWith(`${invariant}: `)),
    `${invariant} in [${violations.join('; ')}]`,
  );
}

test('in the right history nothing is wrong, and every checker has seen something', () => {
  const { events, options } = rightHistory();
  const { violations, seen } = checkHistory({ events, threads: [] }, options);
  assert.deepEqual(violations, []);
  for (const name of ['applied', 'claims', 'rowsAccepted', 'offsetsCommitted', 'marks', 'usersCompared', 'replayed'])
    assert.ok(seen[name]! > 0, name);
  for (const name of ['entries', 'entriesCompared', 'leaders', 'votes', 'queueLooks', 'outputs', 'deadLetters'])
    assert.ok(seen[name]! > 0, name);
});

test('I1: another shard applies under the epoch', () => {
  saw(
    found(({ events }) => {
      const index = events.findIndex((recorded) => recorded.event.k === 'apply');
      events[index] = { ...events[index]!, thread: otherShard };
    }),
    'I1',
  );
});

test('I2, I3: a row of an older epoch is accepted after a newer claim; an accepted row is gone in the end', () => {
  const older = found((told) => {
    const { hi, lo } = first.unit;
    const claim = {
      k: 'claim',
      id: 9,
      generation: 'life',
      claims: [[hi, lo, epoch + 5]],
      t: event(told, 'backup').t - 4,
    };
    told.events.push({ thread: otherShard, event: claim as never });
    const done = { k: 'claimDone', id: 9, code: 'OK', results: [['OK', null]], t: claim.t + 1 };
    told.events.push({ thread: otherShard, event: done as never });
  });
  saw(older, 'I2');
  const gone = found(({ options }) => void (options.stored as Map<string, unknown>).delete(first.unitKey));
  saw(gone, 'I2');
});

test('I4: a claim under an epoch that the log never gave', () => {
  saw(
    found((told) => {
      const claims = event(told, 'claim').claims as number[][];
      claims[1]![2] = epoch - 1;
    }),
    'I4',
  );
});

test('I5, I23: a record that was produced is in no row; a state that no replay gives', () => {
  const lost = found((told) => {
    const records = event(told, 'produce').records as ProducedLine[];
    records.push(['r', second.hex, 7, base64(encodeRecord('r', second.key, 7, 0))]);
  });
  saw(lost, 'I5');
  const unseen = found((told) => {
    told.events.splice(
      told.events.findIndex((recorded) => recorded.event.k === 'apply'),
      1,
    );
  });
  saw(unseen, 'I23');
});

test('I6: an offset is committed before its rows are, or its dead letter is', () => {
  saw(
    found((told) => void (event(told, 'commit').t = event(told, 'backup').t - 5)),
    'I6',
  );
  saw(
    found((told) => void (event(told, 'mark').t = event(told, 'backup').t - 5)),
    'I6',
  );
  saw(
    found((told) => {
      told.events.splice(
        told.events.findIndex((recorded) => recorded.event.k === 'appendDone' && recorded.event.id === 3),
        1,
      );
    }),
    'I6',
  );
});

test('I6: a report under an index without the forced end after which a row was fenced', () => {
  const reported = (tableIndex: number) =>
    found((told) => {
      const { hi, lo } = first.unit;
      const add = (thread: number, t: number, said: object): void =>
        void told.events.push({ thread, event: { t, ...said } as never });
      const ends: readonly LeaseRecord[] = [
        { kind: 'forceReleased', hi, lo, epoch: epoch as never },
        { kind: 'granted', session: 3, shard: 0, units: Uint32Array.of(hi, lo) } as never,
      ];
      for (const [i, record] of ends.entries())
        for (const thread of [control, otherControl]) {
          const data = base64(encodeRecords([record]));
          add(thread, 2_000 + i, { k: 'entry', node: `n${thread}`, index: 8 + i, term: 1, data });
        }
      const { row } = told.options.stored.get(first.unitKey)!;
      const later = epoch + 2;
      add(otherShard, 2_010, { k: 'claim', id: 9, generation: 'life', claims: [[hi, lo, later]] });
      add(otherShard, 2_020, { k: 'claimDone', id: 9, code: 'OK', results: [['OK', row]] });
      add(shard, 2_030, { k: 'backup', id: 9, generation: 'life', rows: [[hi, lo, epoch, 2, row]] });
      add(shard, 2_040, { k: 'backupDone', id: 9, code: 'OK', results: [['FENCED', later]] });
      add(shard, 2_050, { k: 'report', session: 2, shard: 0, tableIndex });
      (told.options.stored as Map<string, unknown>).set(first.unitKey, { epoch: later, seq: 0, row });
    });
  assert.deepEqual(reported(8), []);
  saw(reported(7), 'I6');
});

test('I7: a record is applied twice, or one before it is missing', () => {
  const twice = found((told) => {
    const again = { ...event(told, 'apply', 1), t: event(told, 'apply', 2).t + 1, count: 2 };
    told.events.push({ thread: shard, event: again as never });
  });
  saw(twice, 'I7');
  saw(
    found((told) => void (event(told, 'apply', 1).count = 0)),
    'I7',
  );
});

test('I9: a record meets the state of another user', () => {
  saw(
    found((told) => void (event(told, 'apply', 1).owner = `key ${second.hex}`)),
    'I9',
  );
});

test('I11, I15, I17: two leaders in a term, a term that falls, a second vote', () => {
  const tell = (message: object) =>
    found((told) => void told.events.push({ thread: otherControl, event: { t: 9_000, k: 'raft', message } as never }));
  saw(tell({ type: 'heartbeat', from: 'n2/b', to: 'n1/a', term: 1 }), 'I11');
  saw(tell({ type: 'appendReply', from: 'n2/b', to: 'n1/a', term: 0 }), 'I15');
  saw(tell({ type: 'voteReply', from: 'n2/b', to: 'n3/c', term: 1, granted: true }), 'I17');
});

test('I14: a node applies another entry than the others', () => {
  const other = base64(encodeRecords([{ kind: 'nodeDraining', nodeId: 'n1', draining: true } as never]));
  saw(
    found((told) => void (event(told, 'entry', 13).data = other)),
    'I14',
  );
});

test('I21: frames beyond their limit, memory beyond its cap', () => {
  const full = { streamsOpen: 1, framesInFlight: 900, partitionsRead: 1 };
  saw(
    found((told) => void (event(told, 'levels').levels = full)),
    'I21',
  );
  saw(
    found((told) => void (event(told, 'levels').rssBytes = 2_000)),
    'I21',
  );
});

test('P2, P6: the log gives an offset twice; a row before its output', () => {
  saw(
    found((told) => void (event(told, 'produceDone').first = 5)),
    'P2',
  );
  saw(
    found((told) => void (event(told, 'appendDone', 0).t = event(told, 'backupDone').t + 5)),
    'P6',
  );
});
