import type { LeaseTable } from '@holdfast/lease';
import type { SessionId } from '@holdfast/model';
import type { FromShard, HeldBack, HotUnit, LeasedPartition, ToShard, UserAnswer } from '../shard-messages.ts';
import type { TableChange } from './lease-state-machine.ts';
import type { ShardName } from './move-calls.ts';
import { QuarantineTeller } from './quarantine-teller.ts';
import type { ShardPort } from './shard-port.ts';
import { directoryOf, partitionsOf } from './table-views.ts';

export interface ShardLinkEvents {
  /** All shards listen; their addresses by index. Once. */
  onListening(addresses: readonly string[]): void;
  onAcquire(shard: number, units: Uint32Array): void;
  onRelease(shard: number, units: Uint32Array): void;
  onMove(shard: number, to: ShardName, units: Uint32Array): void;
  onFaulty(shard: number, units: Uint32Array): void;
  onGenerationSeen(generationId: string): void;
  onGiveUp(partitions: readonly LeasedPartition[]): void;
  onAnswer(id: number, user: UserAnswer | null): void;
  /** Resolves once the table shows everything that was committed before the call, with the index of that. */
  barrier(): Promise<number>;
  /** A shard can't go on: the process must end. */
  onFailed(shard: number, error: string): void;
}

/** The control thread's end of the shards of one incarnation: tells them what the table shows, hears what they need. */
export class ShardLinks {
  readonly shards: readonly ShardPort[];
  readonly #table: LeaseTable;
  readonly #events: ShardLinkEvents;
  readonly #addresses: (string | undefined)[];
  readonly #stopped: Set<number> = new Set();
  readonly #beatsAtRenewal: number[];
  readonly #partitionsTold: string[];
  readonly #removeBufferListener: () => void;
  readonly #hot: (readonly HotUnit[])[];
  readonly #heldBack: (readonly HeldBack[])[];
  readonly #quarantine = new QuarantineTeller();
  #session: SessionId | null = null;
  #onAllStopped: ((isDone: boolean) => void) | null = null;
  #isClosed = false;

  constructor(shards: readonly ShardPort[], table: LeaseTable, events: ShardLinkEvents) {
    this.shards = shards;
    this.#table = table;
    this.#events = events;
    this.#addresses = shards.map(() => undefined);
    this.#beatsAtRenewal = shards.map(() => -1);
    this.#partitionsTold = shards.map(() => '');
    this.#hot = shards.map(() => []);
    this.#heldBack = shards.map(() => []);
    this.#removeBufferListener = table.onBuffer((buffer) => this.#postAll({ kind: 'table', buffer }));
    this.#postAll({ kind: 'table', buffer: table.buffer });
    this.#postGeneration();
    if (table.quarantineIndex > 0) this.#postQuarantine();
    for (const [index, shard] of shards.entries()) shard.onMessage((message) => this.#receive(index, message));
  }

  /** Every shard's loop has turned since the last `noteRenewal`; those that have stopped needn't. */
  get haveProgressed(): boolean {
    return this.shards.every(
      (shard, i) => this.#stopped.has(i) || shard.stats.get('heartbeat') !== this.#beatsAtRenewal[i],
    );
  }

  noteRenewal(): void {
    for (const [i, shard] of this.shards.entries()) this.#beatsAtRenewal[i] = shard.stats.get('heartbeat');
  }

  /** The session that the own table shows as this incarnation's: the shards may hold under it. */
  open(session: SessionId, proof: SharedArrayBuffer): void {
    this.#session = session;
    this.#postDirectory();
    this.#postAll({ kind: 'session', session, proof });
    this.#postPartitions();
  }

  onChange(change: TableChange): void {
    if (this.#isClosed) return;
    if (change.generation) this.#postGeneration();
    // Before the word of whatever was granted since: it may be the very unit.
    if (change.quarantine) this.#postQuarantine();
    if (this.#session !== null && change.sessions) this.#postDirectory();
    // A session's end takes its partitions along without a record of their own.
    if (this.#session !== null && (change.partitions || change.sessions)) this.#postPartitions();
    this.#postAll({ kind: 'advanced' });
  }

  /** The units of a shard with most records of late. */
  hot(shard: number): readonly HotUnit[] {
    return this.#hot[shard] ?? [];
  }

  /** What the log doesn't take from a shard. */
  heldBack(shard: number): readonly HeldBack[] {
    return this.#isClosed ? [] : (this.#heldBack[shard] ?? []);
  }

  /** False when there is no such shard. */
  tell(shard: number, message: ToShard): boolean {
    if (this.#isClosed || this.shards[shard] === undefined) return false;
    this.shards[shard].post(message);
    return true;
  }

  /** By shard: how many units it shall release, its longest idle ones. */
  makeRoom(counts: readonly number[]): void {
    if (this.#isClosed) return;
    for (const [i, units] of counts.entries()) if (units > 0) this.shards[i]!.post({ kind: 'makeRoom', units });
  }

  /** Tells all to stop; true when all have, false when the session was lost before. */
  stop(): Promise<boolean> {
    if (this.#isClosed || this.shards.length === 0) return Promise.resolve(!this.#isClosed);
    const stopped = new Promise<boolean>((resolve) => {
      this.#onAllStopped = resolve;
    });
    this.#postAll({ kind: 'stop' });
    return stopped;
  }

  /** Says and hears nothing any more. */
  close(): void {
    this.#isClosed = true;
    this.#removeBufferListener();
    this.#onAllStopped?.(false);
  }

  #receive(index: number, message: FromShard): void {
    if (this.#isClosed) return;
    switch (message.kind) {
      case 'listening': {
        const wasComplete = this.#addresses.every((address) => address !== undefined);
        this.#addresses[index] = message.address;
        if (!wasComplete && this.#addresses.every((address) => address !== undefined)) {
          this.#events.onListening(this.#addresses as string[]);
        }
        return;
      }
      case 'acquire':
        this.#events.onAcquire(index, message.units);
        return;
      case 'release':
        this.#events.onRelease(index, message.units);
        return;
      case 'move':
        this.#events.onMove(index, message, message.units);
        return;
      case 'faulty':
        this.#events.onFaulty(index, message.units);
        return;
      case 'hot':
        this.#hot[index] = message.units;
        return;
      case 'heldBack':
        this.#heldBack[index] = message.list;
        return;
      case 'giveUp':
        this.#events.onGiveUp(message.partitions);
        return;
      case 'barrier':
        void this.#answerBarrier(index, message.id);
        return;
      case 'generationSeen':
        this.#events.onGenerationSeen(message.generationId);
        return;
      case 'stopped':
        this.#stopped.add(index);
        if (this.#stopped.size === this.shards.length) this.#onAllStopped?.(true);
        return;
      case 'answer':
        this.#events.onAnswer(message.id, message.user);
        return;
      case 'failed':
        this.#events.onFailed(index, message.error);
    }
  }

  /** Whoever is told null asks again. */
  async #answerBarrier(shard: number, id: number): Promise<void> {
    const index = await this.#events.barrier().catch(() => null);
    this.tell(shard, { kind: 'caughtUp', id, index });
  }

  #postAll(message: ToShard): void {
    if (this.#isClosed) return;
    for (const shard of this.shards) shard.post(message);
  }

  #postDirectory(): void {
    this.#postAll({ kind: 'directory', sessions: directoryOf(this.#table) });
  }

  #postGeneration(): void {
    const { generation: number, storeGeneration: generationId, generationIndex: index } = this.#table;
    if (number > 0) this.#postAll({ kind: 'generation', number, generationId, index });
  }

  #postQuarantine(): void {
    this.#postAll(this.#quarantine.news(this.#table));
  }

  #postPartitions(): void {
    const lists = partitionsOf(this.#table, this.#session!, this.shards.length);
    for (const [i, partitions] of lists.entries()) {
      const text = JSON.stringify(partitions);
      if (text === this.#partitionsTold[i]) continue;
      this.#partitionsTold[i] = text;
      this.shards[i]!.post({ kind: 'partitions', partitions });
    }
  }
}
