import assert from 'node:assert/strict';
import { hashUnit, type PartitionId, type ShardRef, topicId, unitHashOut } from '@holdfast/model';
import { RecordCounters } from '../counters.ts';
import { type CrashNotes, noCrashNotes } from '../crash-notes.ts';
import type { Frame } from '../frame.ts';
import { tableOfOne } from '../ingest/test-table.test.ts';
import { type Job, StateFaultError, StopWantedError } from '../job.ts';
import { defaultRecordLimits } from '../limits.ts';
import { RecordBlockWriter } from '../record-block.ts';
import { Holder } from './holder.ts';
import type { HolderStream } from './holder-stream.ts';

export const self: ShardRef = { session: 7 as never, shard: 0 as never };
export const partition: PartitionId = { topicId: topicId('in'), partition: 3 };
const deadLetterTopic = 'dead';
export const bytesOf = (text: string): Uint8Array => Buffer.from(text);

interface Sum {
  seen: string;
}

/**
 * Puts the values of a user's records together, and emits those with a plus at their end; `die` as a value ends the process, `stop` the job, `epoch` stands for that of the lease, a state with `spoilt` in it can't be
 * written, one with `strange` can't be read, one with `stiff` can't be copied, and users called `nobody` have none.
 */
const joining: Job<Sum> = {
  name: 'join',
  version: '1',
  inputs: ['in'],
  outputs: [],
  idleMs: 1_000,
  failureReason: '',
  leaseEpoch: 0,
  newKeyLocator: () => assert.fail(),
  initialState: (key) => {
    if (text(key).startsWith('nobody')) throw new RangeError('no state for nobody');
    return { seen: '' };
  },
  encodeState: ({ seen }) => {
    if (seen.includes('spoilt')) throw new RangeError('a spoilt state');
    return bytesOf(seen);
  },
  decodeState: (bytes) => {
    if (text(bytes).includes('strange')) throw new RangeError('a strange state');
    return { seen: text(bytes) };
  },
  apply: (state, key, { bytes, valueStart, valueEnd }, out) => {
    const value = Buffer.from(bytes.subarray(valueStart, valueEnd)).toString();
    if (value === 'die') throw new Error('this process has ended');
    if (value === 'stop') throw new StopWantedError('it says so');
    if (state.seen.includes('stiff')) throw new StateFaultError('a state that can not be copied');
    state.seen += value === 'epoch' ? joining.leaseEpoch : value;
    if (value.endsWith('+')) out.emit('out', key, bytesOf(value), value);
    return 'applied';
  },
  view: (state) => state.seen,
};

/** A holder that has every unit, one stream to it, and a table that shows units taken away and some indexes. */
export class Scene {
  quarantineIndex = 0;
  tableIndex = 10;
  generationIndex = 0;
  /** Of the last end by force. */
  uncleanIndex = 0;
  /** What frames say of refusals. */
  refusalSeen = 0;
  readonly #takenAway = new Set<number>();
  /** The session is over, and with it all leases. */
  isOver = false;
  readonly counters = new RecordCounters();
  readonly holder: Holder;
  readonly stream: HolderStream;
  /** Of all grants. */
  readonly #grant: { epoch: number };
  #frames = 0;

  constructor(crashNotes: CrashNotes = noCrashNotes, limits = defaultRecordLimits) {
    const leases = {
      ...tableOfOne(self.session),
      quarantineIndex: () => this.quarantineIndex,
      generationIndex: () => this.generationIndex,
      uncleanIndex: () => this.uncleanIndex,
      tableIndex: () => this.tableIndex,
      forcedCount: () => this.#takenAway.size,
      isLive: (session: number) => session >= self.session,
      lookup: (hi: number) => !this.isOver && !this.#takenAway.has(hi),
    };
    this.#grant = leases;
    const { counters } = this;
    this.holder = new Holder({ self, job: joining as Job, leases, deadLetterTopic, counters, crashNotes, limits });
    const from = { session: 8 as never, shard: 0 as never };
    this.stream = this.holder.openStream({ from, to: self, incarnation: 1 })!;
  }

  /** A frame with these values of these users, from an offset on. Returns why it isn't taken, if it isn't. */
  send(offset: number, records: readonly (readonly [user: string, value: string])[], tableIndex = 10): string | null {
    const block = new RecordBlockWriter();
    for (const [n, [user, value]] of records.entries()) {
      const bytes = bytesOf(user + value);
      hashUnit(bytes, 0, user.length);
      const { hi, lo } = unitHashOut;
      block.append(hi, lo, offset + n, 1, bytes, 0, user.length, bytes, user.length, bytes.length);
    }
    const frame: Frame = {
      number: ++this.#frames,
      tableIndex,
      reading: 1,
      refusalSeen: this.refusalSeen,
      topic: 'in',
      partition,
      durableWatermark: 0,
      baseOffset: block.baseOffset,
      count: block.count,
      block: block.finish(),
    };
    return this.holder.onFrame(this.stream, frame, 1);
  }

  /** @param row what the store has of each unit */
  open(row: Uint8Array | null = null): number {
    const claims = this.holder.takeClaims(100);
    for (const claim of claims) this.holder.onClaimed(claim, row, [], this.holder.generationIndex, 1);
    return claims.length;
  }

  /** The table has that entry's effect already, and isn't at its index. */
  endUnseen(user: string, index: number): void {
    this.uncleanIndex = index;
    this.#takenAway.add(unitOf(user).hi);
  }

  /** The leader takes a user's unit away, by the entry at that index. */
  takeAway(user: string, index = 10): void {
    this.uncleanIndex = index;
    this.#takenAway.add(unitOf(user).hi);
    this.holder.onTableAdvanced(1);
  }

  /** The leader grants here what it took away, under an epoch of its own. */
  grantAgain(epoch: number): void {
    this.#takenAway.clear();
    this.#grant.epoch = epoch;
  }

  /** Units whose rows are written now, all accepted. */
  write(): number[] {
    const rows = this.holder.takeRows(100, 1);
    for (const row of rows) this.holder.onRowAccepted(row, 1);
    return rows.map(({ hi }) => hi);
  }

  /** Key and value of each dead letter, and where it was. */
  letters(reason = 'quarantined'): string[] {
    const outputs = this.holder.outputs.take(100);
    assert.ok(outputs.every(({ topic, headers }) => topic === deadLetterTopic && headers.reason === reason));
    return outputs.map(({ key, value, headers }) => `${text(key)}:${text(value)}@${headers.offset}`);
  }
}

export const text = (bytes: Uint8Array | null): string => Buffer.from(bytes!).toString();

export function unitOf(user: string): { readonly hi: number; readonly lo: number } {
  hashUnit(bytesOf(user), 0, user.length);
  return { hi: unitHashOut.hi, lo: unitHashOut.lo };
}
