import assert from 'node:assert/strict';
import { defaultShardSettings, type FromShard, SessionProof, Shard, ShardStats } from '@holdfast/engine';
import { LeaseTable } from '@holdfast/lease';
import {
  bucketCount,
  bucketOf,
  formatUnit,
  hashUnit,
  type Logger,
  type ShardRef,
  silentLogger,
  unitHashOut,
} from '@holdfast/model';
import { type CrashNotes, defaultRecordLimits, type Job, noCrashNotes } from '@holdfast/processor';
import { LeapingTime } from './leaping-time.test.ts';
import { type BentPart, MemoryBackupStore, MemoryStoreDisk } from './memory-backup-store.ts';
import { MemoryLog, MemoryLogDisk } from './memory-log.ts';
import { MemoryNetwork } from './memory-network.ts';
import { MemoryRecordTransport } from './memory-record-transport.ts';
import { countingJob, type OnApply } from './record-simulation/counting-job.ts';
import type { TwinHooks } from './twin-hooks.ts';

const incarnation = { counter: 1, shards: 1, addresses: ['a', 'b'], version: '1' };
const topic = 'in';
/** Its name is the group of its commits. */
const job = 'counting';

function hashOf(user: string): { hi: number; lo: number } {
  const key = Buffer.from(user);
  hashUnit(key, 0, key.length);
  return { ...unitHashOut };
}

/** Two users whose vectors have the same markers as their floor. */
export function twoOfOneBucket(): [string, string] {
  const seen = new Map<number, string>();
  for (let n = 0; ; n++) {
    const { hi, lo } = hashOf(`user-${n}`);
    const bucket = bucketOf(hi, lo);
    const earlier = seen.get(bucket);
    if (earlier !== undefined) return [earlier, `user-${n}`];
    seen.set(bucket, `user-${n}`);
  }
}

interface Given {
  /** Whom the shard holds from the beginning. */
  readonly users?: readonly string[];
  /** What was in the log before: holders before have counted it, and all markers are past it. */
  readonly earlier?: readonly string[];
  /** Of `earlier`, where the offset stands that is committed, and where the log begins since retention took the rest. */
  readonly committed?: number;
  readonly firstKept?: number;
  /** What was in the log before, and is committed there by a cluster whose store is gone. */
  readonly left?: readonly string[];
  readonly storeHooks?: TwinHooks;
  readonly logHooks?: TwinHooks;
  readonly logger?: Logger;
  /** How far the table has to be, by the leader's word; null: nobody says. The table's own index unless it is said. */
  readonly barrierIndex?: () => number | null;
  /** What the job does before it applies a record. */
  readonly onApply?: OnApply;
  readonly backupRowsMax?: number;
  readonly crashNotes?: CrashNotes;
}

/** A shard that reads the only partition of its input, beside another session that may end. */
export async function beginLoneShard({
  users = [],
  earlier = [],
  committed = 0,
  firstKept = 0,
  left = [],
  storeHooks = {},
  logHooks = {},
  logger = silentLogger,
  barrierIndex,
  onApply = () => {},
  backupRowsMax = defaultShardSettings.backupRowsMax,
  crashNotes = noCrashNotes,
}: Given) {
  const time = new LeapingTime();
  const logDisk = new MemoryLogDisk();
  const log = new MemoryLog(logDisk, time, logHooks);
  const { topicId } = await log.createTopic(topic, 1);
  const partition = { topicId, partition: 0 };
  const feed = (value: string) => log.append(topic, 0, [{ key: null, value: Buffer.from(value) }]);
  const disk = new MemoryStoreDisk();
  for (const value of earlier) await feed(value);
  const markAll = (offset: number) => {
    const marks = Array.from({ length: bucketCount }, (_, bucket) => ({ bucket, partition, offset }));
    return new MemoryBackupStore(disk).mark(disk.generationId, marks);
  };
  if (earlier.length > 0) await markAll(earlier.length);
  const ownCommit = { partition, offset: committed, generationId: disk.generationId, fence: 1 };
  if (committed > 0) await log.commit(job, [ownCommit]);
  logDisk.dropBefore(topic, 0, firstKept);
  for (const value of left) await feed(value);
  const leftBehind = { partition, offset: left.length, generationId: 'store-of-another-cluster', fence: 1 };
  if (left.length > 0) await log.commit(job, [leftBehind]);
  const table = new LeaseTable();
  const replay = (record: Parameters<LeaseTable['replay']>[0]): void => {
    const index = table.tableIndex + 1;
    table.replay(record, index);
    table.publishIndex(index);
  };
  replay({ kind: 'epochBase', base: 0 });
  replay({ kind: 'generationChanged', storeGeneration: disk.generationId, number: 1, continues: true });
  replay({ kind: 'sessionOpened', nodeId: 'n1' as never, uuid: 'u1', ...incarnation });
  replay({ kind: 'sessionOpened', nodeId: 'n2' as never, uuid: 'u2', ...incarnation });
  const [session, other] = [3 as never, 4 as never];
  const shardOf = (of: number): ShardRef => ({ session: of as never, shard: 0 as never });
  const units = users.map(hashOf);
  const pairs = Uint32Array.from(units.flatMap(({ hi, lo }) => [hi, lo]));
  replay({ kind: 'granted', session, shard: 0 as never, units: pairs });
  const network = new MemoryNetwork({ time });
  const said: FromShard[] = [];
  const failures: FromShard[] = [];
  const stats = new ShardStats();
  const shard: Shard = new Shard({
    shard: 0 as never,
    job: countingJob(onApply) as Job,
    log,
    store: new MemoryBackupStore(disk, storeHooks),
    transport: new MemoryRecordTransport({ network, site: 'n1', localShard: () => shardOf(session), address: 'n1/0' }),
    timers: time,
    logger,
    stats,
    crashNotes,
    send: (message) => {
      said.push(message);
      if (message.kind !== 'barrier') return;
      const index = barrierIndex === undefined ? table.tableIndex : barrierIndex();
      time.setTimer(1, () => shard.receive({ kind: 'caughtUp', id: message.id, index }));
    },
    limits: defaultRecordLimits,
    settings: { ...defaultShardSettings, backupIntervalMs: 30_000, backupRowsMax },
  });
  await shard.start();
  shard.receive({ kind: 'table', buffer: table.buffer });
  shard.receive({ kind: 'generation', number: 1, generationId: disk.generationId, index: 2 });
  const proof = new SessionProof();
  proof.extend(Number.POSITIVE_INFINITY);
  shard.receive({ kind: 'session', session, proof: proof.buffer });
  const self = { session, nodeId: 'n1' as never, shardAddresses: ['n1/0'], closing: false };
  shard.receive({ kind: 'directory', sessions: [self] });
  shard.receive({ kind: 'partitions', partitions: [{ topic, ...partition, epoch: 9, wasThere: true }] });
  const tellQuarantine = (): void => {
    const changed = table.quarantine.units.map(({ hi, lo, before }) => ({ hi, lo, before: before?.bytes ?? null }));
    shard.receive({ kind: 'quarantine', changed, gone: [], index: table.quarantineIndex });
    shard.receive({ kind: 'advanced' });
  };
  return {
    time,
    network,
    /** Who it is, and whom `showOther` shows. */
    self: shardOf(session),
    other: shardOf(other),
    disk,
    logDisk,
    stats,
    /** That of its session: until when it may take itself for alive. */
    proof,
    feed,
    /** What is stored of a user can't be read from now on, in part or at all; or again. */
    bend(user: string, part: BentPart | null): void {
      const { hi, lo } = hashOf(user);
      if (part === null) disk.bent.delete(formatUnit(hi, lo));
      else disk.bent.set(formatUnit(hi, lo), part);
    },
    /** Users whose state is in the store. */
    rowCount: () => [...disk.rows.values()].filter(({ row }) => row !== null).length,
    committed: () => log.committed(job, partition),
    /** Each bucket gets a marker, as from a holder's rounds. */
    markAll: (offset: number) => markAll(offset),
    /** Entries that change nothing. */
    advanceTo: (index: number) => {
      table.publishIndex(index);
      shard.receive({ kind: 'advanced' });
    },
    tableIndex: () => table.tableIndex,
    /** The table's part of a new generation; the shard hears of it by `tell`. */
    newGeneration: (continues = true) => {
      disk.lose();
      replay({ kind: 'generationChanged', storeGeneration: disk.generationId, number: 2, continues });
      const index = table.tableIndex;
      return { tell: () => shard.receive({ kind: 'generation', number: 2, generationId: disk.generationId, index }) };
    },
    /** Somebody else claims all users, of which the table knows nothing yet. */
    claimElsewhere: (epoch = 1_000) => {
      const claims = units.map((unit) => ({ ...unit, epoch }));
      return new MemoryBackupStore(disk).claim(disk.generationId, claims);
    },
    /** Whoever asks is told where the other session's shard should be; nobody listens there. */
    showOther: () => {
      const entry = { session: other, nodeId: 'n2' as never, shardAddresses: ['n2/0'], closing: false };
      shard.receive({ kind: 'directory', sessions: [self, entry] });
    },
    /** Nobody holds the user until now. */
    grantToOther: (user: string) => {
      const { hi, lo } = hashOf(user);
      replay({ kind: 'granted', session: other, shard: 0 as never, units: Uint32Array.of(hi, lo) });
      shard.receive({ kind: 'advanced' });
    },
    moveHere: (user: string) => {
      const { hi, lo } = hashOf(user);
      const fromEpochs = Float64Array.of(table.get(hi, lo)!.epoch);
      replay({ kind: 'moved', units: Uint32Array.of(hi, lo), fromEpochs, toSession: session, toShard: 0 as never });
      shard.receive({ kind: 'advanced' });
    },
    /** One more partition for it to read, of some topic. */
    lease: async (name: string) => {
      const { topicId } = await log.createTopic(name, 1);
      await log.append(name, 0, [{ key: null, value: Buffer.from('u') }]);
      const leased = { topic: name, topicId, partition: 0, epoch: 10, wasThere: true };
      shard.receive({ kind: 'partitions', partitions: [{ topic, ...partition, epoch: 9, wasThere: true }, leased] });
    },
    /** As it told last. */
    heldBack: () => {
      const told = said.findLast((message) => message.kind === 'heldBack');
      return told?.kind === 'heldBack' ? told.list : [];
    },
    saidOf: (kind: FromShard['kind']) => said.filter((message) => message.kind === kind).length,
    loseOther: () => {
      replay({ kind: 'sessionEnded', session: other, reason: 'expired' });
      shard.receive({ kind: 'advanced' });
    },
    /** As `loseOther`, but the control thread is in the midst of its entries, and goes on when it is told to. */
    loseOtherHalfway: () => {
      const index = table.tableIndex + 1;
      table.replay({ kind: 'sessionEnded', session: other, reason: 'expired' }, index);
      return () => {
        table.publishIndex(index);
        shard.receive({ kind: 'advanced' });
      };
    },
    /**
     * The leader's part, once: faulty units go into quarantine and are taken away, closed ones end, and both are granted
     * again, as they will be asked for. The shard hears of it.
     */
    obey: () => {
      for (const message of said.splice(0, said.length)) {
        failures.push(...(message.kind === 'failed' ? [message] : []));
        if (message.kind !== 'faulty' && message.kind !== 'release') continue;
        const [hi, lo, epochHi, epochLo] = message.units as unknown as [number, number, number, number];
        const [unit, epoch] = [Uint32Array.of(hi, lo), epochHi * 2 ** 32 + epochLo];
        if (message.kind === 'faulty') {
          replay({ kind: 'unitQuarantined', hi, lo });
          replay({ kind: 'forceReleased', hi, lo, epoch: epoch as never });
        } else replay({ kind: 'released', units: unit, epochs: Float64Array.of(epoch) });
        replay({ kind: 'granted', session, shard: 0 as never, units: unit });
      }
      tellQuarantine();
    },
    /** An operator's release of a user from quarantine. */
    release(user: string): void {
      const offset = logDisk.topics.get(topic)!.partitions[0]!.length;
      replay({ kind: 'quarantineLifted', ...hashOf(user), before: [{ ...partition, offset }] });
      tellQuarantine();
    },
    losePartition: () => shard.receive({ kind: 'partitions', partitions: [] }),
    /** @param expected failures that the test has brought about */
    async end(expected = 0) {
      const failed = [...failures, ...said.filter(({ kind }) => kind === 'failed')];
      assert.equal(failed.length, expected, JSON.stringify(failed));
      const closing = shard.close();
      // What is tried again may wait for its next try.
      await time.pass(3_000);
      await closing;
    },
  };
}
