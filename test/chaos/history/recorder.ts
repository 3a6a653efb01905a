import { basename } from 'node:path';
import { isMainThread, threadId, workerData } from 'node:worker_threads';
import { type BackupStore, LeaseStateMachine, type Log, type RowResult, Shard, ShardStats } from '@holdfast/engine';
import type { LedgerState } from '@holdfast/testkit';
import { GrpcPeerTransport, GrpcRecordTransport } from '@holdfast/transport-grpc';
import type { ClaimResultLine, HistoryEvent, OutputLine, RaftLine, RowResultLine } from './event.ts';
import { HistoryFile, nowUs } from './history-file.ts';
import { beforeBackup } from './hooks.ts';

/** Where a node's threads write: `CHAOS_HISTORY` names the folder, `CHAOS_NODE` the node. */
const node = process.env.CHAOS_NODE ?? basename(process.argv[1] ?? 'node');
const file = new HistoryFile(process.env.CHAOS_HISTORY ?? '.', `${node}-${process.pid}-${threadId}`);
const isWritten = process.env.CHAOS_HISTORY !== undefined;
const levelsEveryMs = 250;
const levelNames = [
  'streamsOpen',
  'framesInFlight',
  'parkedRecords',
  'parkedBytes',
  'partitionsRead',
  'unitsHeld',
] as const;

const base64 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64');
const hex = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex');

/** For the job: a record is about to change a state. */
export function recordApply(key: Uint8Array, state: LedgerState, partition: number, offset: number): void {
  if (!isWritten) return;
  file.hold({
    t: nowUs(),
    k: 'apply',
    u: hex(key),
    p: partition,
    o: offset,
    count: state.counts[partition] ?? 0,
    print: state.prints[partition] ?? null,
    order: state.order,
    owner: state.owner,
  });
}

type Lines = Record<string, unknown>;

/** Two lines around a call. What it says before is on the disk's way before the call begins. */
async function around<T>(k: string, said: Lines, call: () => Promise<T>, answer: (result: T) => Lines): Promise<T> {
  const id = file.nextCall();
  file.write({ t: nowUs(), k, id, ...said } as unknown as HistoryEvent);
  try {
    const result = await call();
    file.write({ t: nowUs(), k: `${k}Done`, id, ...answer(result) } as unknown as HistoryEvent);
    return result;
  } catch (error) {
    file.write({ t: nowUs(), k: `${k}Failed`, id, error: String(error) } as unknown as HistoryEvent);
    throw error;
  }
}

/** What the store answers to a claim or a row that it didn't take. */
function refusedLine(result: Exclude<RowResult, { code: 'OK' | 'STALE' }>): ClaimResultLine & RowResultLine {
  return result.code === 'FENCED' ? ['FENCED', result.epoch] : ['CORRUPT', result.problem];
}

/** Records what every store of this class is asked and answers. */
export function watchStore(prototype: Pick<BackupStore, 'claim' | 'backup' | 'mark'>): void {
  const { claim, backup, mark } = prototype;
  prototype.claim = function (this: BackupStore, generation, claims) {
    return around(
      'claim',
      { generation, claims: claims.map(({ hi, lo, epoch }) => [hi, lo, epoch]) },
      () => claim.call(this, generation, claims),
      (answer) => ({
        code: answer.code,
        results:
          answer.code !== 'OK'
            ? []
            : answer.results.map((result) =>
                result.code === 'OK' ? ['OK', result.row === null ? null : base64(result.row)] : refusedLine(result),
              ),
      }),
    );
  };
  prototype.backup = function (this: BackupStore, generation, rows) {
    return around(
      'backup',
      { generation, rows: rows.map(({ hi, lo, epoch, seq, row }) => [hi, lo, epoch, seq, base64(row)]) },
      () => {
        beforeBackup();
        return backup.call(this, generation, rows);
      },
      (answer) => ({
        code: answer.code,
        results:
          answer.code !== 'OK'
            ? []
            : answer.results.map((result) =>
                result.code === 'OK' || result.code === 'STALE' ? [result.code] : refusedLine(result),
              ),
      }),
    );
  };
  prototype.mark = function (this: BackupStore, generation, marks) {
    const lines = marks.map(({ bucket, partition, offset }) => [
      bucket,
      partition.topicId,
      partition.partition,
      offset,
    ]);
    return around(
      'mark',
      { generation, marks: lines },
      () => mark.call(this, generation, marks),
      ({ code }) => ({ code }),
    );
  };
}

/** Records what every log of this class is given to keep. */
export function watchLog(prototype: Pick<Log, 'append' | 'commit'>): void {
  const { append, commit } = prototype;
  prototype.append = function (this: Log, topic, partition, records) {
    const lines = records.map(({ headers, value }): OutputLine => {
      const { id = '', reason } = headers ?? {};
      // What a letter quotes nobody looks at, and it may be large.
      return reason !== undefined ? [id, null, reason] : [id, value === null ? null : base64(value)];
    });
    return around(
      'append',
      { topic, records: lines },
      () => append.call(this, topic, partition, records),
      (first) => ({ first }),
    );
  };
  prototype.commit = function (this: Log, group, commits) {
    const lines = commits.map(({ partition, offset, generationId, fence }) => [
      partition.topicId,
      partition.partition,
      offset,
      generationId,
      fence,
    ]);
    return around(
      'commit',
      { commits: lines },
      () => commit.call(this, group, commits),
      (results) => ({ results }),
    );
  };
}

/** Records the entries that a control thread applies, and which terms, votes and leaders its messages tell of. */
export function watchControl(): void {
  const { apply } = LeaseStateMachine.prototype;
  LeaseStateMachine.prototype.apply = function (this: LeaseStateMachine, entry) {
    const { index, term, data } = entry;
    file.write({ t: nowUs(), k: 'entry', node, index, term, data: base64(data) });
    apply.call(this, entry);
  };
  const { sendRaft } = GrpcPeerTransport.prototype;
  const said = new Map<string, number>();
  GrpcPeerTransport.prototype.sendRaft = function (this: GrpcPeerTransport, to, messages) {
    for (const message of messages) {
      const { type, from, term } = message;
      const isVote = type === 'vote' || type === 'voteReply';
      const key = `${type}/${from}/${message.to}`;
      if (!isVote && said.get(key) === term) continue;
      said.set(key, term);
      const granted = 'granted' in message ? { granted: message.granted } : {};
      file.write({
        t: nowUs(),
        k: 'raft',
        message: { type, from, to: message.to, term, ...granted } satisfies RaftLine,
      });
    }
    sendRaft.call(this, to, messages);
  };
}

/** Records the session of a shard's thread, and how full its queues are: now and then, and when its partitions change. */
export function watchShard(): void {
  const { shard, stats } = workerData as { shard: number; stats: SharedArrayBuffer };
  const counters = new ShardStats(stats);
  const look = (): void => {
    const levels = Object.fromEntries(levelNames.map((name) => [name, counters.get(name)]));
    file.write({ t: nowUs(), k: 'levels', rssBytes: process.memoryUsage.rss(), levels });
  };
  const { receive, close } = Shard.prototype;
  Shard.prototype.receive = function (this: Shard, message) {
    if (message.kind === 'session') file.write({ t: nowUs(), k: 'session', session: message.session, shard });
    receive.call(this, message);
    if (message.kind === 'partitions' || message.kind === 'session') look();
  };
  const looking = setInterval(look, levelsEveryMs).unref();
  Shard.prototype.close = function (this: Shard) {
    // What an ended shard counts last stays as it was, while its thread ends.
    clearInterval(looking);
    return close.call(this);
  };
  watchStreams();
  process.on('exit', () => file.flush());
}

/** Records what a holder reports durable, as it says so, and the ends of the streams that an ingest has opened. */
function watchStreams(): void {
  const { open, listen } = GrpcRecordTransport.prototype;
  GrpcRecordTransport.prototype.listen = function (this: GrpcRecordTransport, onOpen) {
    return listen.call(this, (stream, receiver) => {
      const { session, shard } = stream.to;
      const { reply } = receiver;
      receiver.reply = (message) => {
        if (message.kind === 'durable')
          file.hold({ t: nowUs(), k: 'report', session, shard, tableIndex: message.tableIndex });
        reply.call(receiver, message);
      };
      return onOpen(stream, receiver);
    });
  };
  GrpcRecordTransport.prototype.open = function (this: GrpcRecordTransport, stream, address, events) {
    const { session, shard } = stream.to;
    return open.call(this, stream, address, {
      onAccepted: () => events.onAccepted(),
      onReturn: (message) => events.onReturn(message),
      onDrain: () => events.onDrain(),
      onEnd: (reason) => {
        file.write({ t: nowUs(), k: 'streamEnd', session, shard, reason });
        events.onEnd(reason);
      },
    });
  };
}

export const isShardThread = !isMainThread && typeof (workerData as { shard?: unknown } | null)?.shard === 'number';
