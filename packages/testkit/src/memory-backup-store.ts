import {
  type Adoption,
  adopted,
  type BackupStore,
  type Claim,
  type ClaimResult,
  type Mark,
  type Marker,
  type RowResult,
  type RowWrite,
  type StoreAnswer,
  type StoredRow,
} from '@holdfast/engine';
import { bucketCount, bucketOf, formatUnit, type PartitionId, partitionKey, type Unit } from '@holdfast/model';
import { type TwinHooks, throughHooks } from './twin-hooks.ts';

/** All that a store held at a moment; see `MemoryStoreDisk.lose`. */
export interface StoreImage {
  readonly adoption: Adoption | null;
  readonly rows: ReadonlyMap<string, StoredRow>;
  readonly markers: ReadonlyMap<number, ReadonlyMap<string, Marker>>;
}

/** What can't be read of a stored value: all of it, or the row in it. */
export type BentPart = 'all' | 'row';

/** What outlives the processes. Any number of `MemoryBackupStore`s share one. */
export class MemoryStoreDisk {
  rows = new Map<string, StoredRow>();
  /** Bucket → partition → marker. */
  markers = new Map<number, Map<string, Marker>>();
  adoption: Adoption | null = null;
  /** Units with a stored value that can't be read, as a whole or but for its epoch and seq. */
  readonly bent = new Map<string, BentPart>();
  #life = 1;

  get generationId(): string {
    return `memory-store-${this.#life}`;
  }

  /** What is in it now, to be lost back to. */
  image(): StoreImage {
    return {
      adoption: this.adoption,
      rows: new Map(this.rows),
      markers: new Map([...this.markers].map(([b, m]) => [b, new Map(m)])),
    };
  }

  /** Begins another life: empty, or with what was there at an earlier moment, as after a failover to a lagging replica. */
  lose(to: StoreImage | null = null): void {
    this.#life++;
    this.bent.clear();
    this.adoption = to?.adoption ?? null;
    this.rows = new Map(to?.rows);
    this.markers = new Map([...(to?.markers ?? [])].map(([b, m]) => [b, new Map(m)]));
  }
}

/** The in-memory twin of the backup store: one process's connection to the disk. Each call is one step. */
export class MemoryBackupStore implements BackupStore {
  readonly #disk: MemoryStoreDisk;
  readonly #hooks: TwinHooks;

  constructor(disk: MemoryStoreDisk, hooks: TwinHooks = {}) {
    this.#disk = disk;
    this.#hooks = hooks;
  }

  generationId(): Promise<string> {
    return throughHooks(this.#hooks, 'generationId', () => this.#disk.generationId);
  }

  adopt(generationId: string, current: string): Promise<StoreAnswer<boolean>> {
    return this.#call('adopt', generationId, () => {
      const isEmpty = this.#disk.rows.size === 0 && this.#disk.markers.size === 0;
      const { continues, adoption } = adopted(this.#disk.adoption, generationId, current, isEmpty);
      this.#disk.adoption = adoption;
      return [continues];
    });
  }

  claim(generationId: string, claims: readonly Claim[]): Promise<StoreAnswer<ClaimResult>> {
    return this.#call('claim', generationId, () => claims.map((claim) => this.#claim(claim)));
  }

  backup(generationId: string, rows: readonly RowWrite[]): Promise<StoreAnswer<RowResult>> {
    return this.#call('backup', generationId, () => rows.map((row) => this.#backup(row)));
  }

  mark(generationId: string, marks: readonly Mark[]): Promise<StoreAnswer<'ok'>> {
    return this.#call('mark', generationId, () =>
      marks.map(({ bucket, partition, offset }) => {
        const markers = this.#disk.markers.get(bucket) ?? new Map<string, Marker>();
        this.#disk.markers.set(bucket, markers);
        const key = partitionKey(partition);
        if ((markers.get(key)?.offset ?? -1) < offset) markers.set(key, { partition, offset });
        return 'ok';
      }),
    );
  }

  leastMarker(generationId: string, partition: PartitionId): Promise<StoreAnswer<number>> {
    return this.#call('leastMarker', generationId, () => {
      const key = partitionKey(partition);
      let least = Number.POSITIVE_INFINITY;
      for (let bucket = 0; bucket < bucketCount; bucket++) {
        least = Math.min(least, this.#disk.markers.get(bucket)?.get(key)?.offset ?? 0);
      }
      return [least];
    });
  }

  highestEpoch(): Promise<number> {
    return throughHooks(this.#hooks, 'highestEpoch', () => {
      let highest = 0;
      for (const [key, row] of this.#disk.rows) {
        if (this.#disk.bent.get(key) === 'all') throw new Error(problemOf(row));
        highest = Math.max(highest, row.epoch);
      }
      return highest;
    });
  }

  read(unit: Unit): Promise<StoredRow | null> {
    return throughHooks(this.#hooks, 'read', () => {
      const stored = this.#disk.rows.get(formatUnit(unit.hi, unit.lo));
      if (this.#disk.bent.has(formatUnit(unit.hi, unit.lo))) throw new Error(problemOf(unit));
      return stored === undefined ? null : copyOf(stored);
    });
  }

  async *scan(): AsyncIterable<StoredRow> {
    const rows = await throughHooks(this.#hooks, 'scan', () => [...this.#disk.rows.values()]);
    for (const row of rows) yield copyOf(row);
  }

  async close(): Promise<void> {}

  #claim(claim: Claim): ClaimResult {
    const { hi, lo, epoch } = claim;
    const key = formatUnit(hi, lo);
    const markers = [...(this.#disk.markers.get(bucketOf(hi, lo))?.values() ?? [])];
    const bent = this.#disk.bent.get(key);
    if (bent === 'all') return { code: 'CORRUPT', problem: problemOf(claim), markers };
    const stored = this.#disk.rows.get(key);
    const repeated = stored?.epoch === epoch && stored.seq === 0;
    if (stored !== undefined && stored.epoch >= epoch && !repeated) return { code: 'FENCED', epoch: stored.epoch };
    const raised = { savedUnixMs: 0, row: null, ...stored, hi, lo, epoch, seq: 0 };
    this.#disk.rows.set(key, raised);
    if (bent === 'row') return { code: 'CORRUPT', problem: problemOf(claim), markers };
    return { code: 'OK', row: raised.row?.slice() ?? null, markers };
  }

  #backup(write: RowWrite): RowResult {
    const { hi, lo, epoch, seq } = write;
    const key = formatUnit(hi, lo);
    if (this.#disk.bent.get(key) === 'all') return { code: 'CORRUPT', problem: problemOf(write) };
    const stored = this.#disk.rows.get(key);
    if (stored !== undefined) {
      if (stored.epoch > epoch) return { code: 'FENCED', epoch: stored.epoch };
      if (stored.epoch === epoch && stored.seq > seq) return { code: 'STALE' };
      if (stored.epoch === epoch && stored.seq === seq) return { code: 'OK' };
    }
    this.#disk.bent.delete(key);
    this.#disk.rows.set(key, copyOf({ hi, lo, epoch, seq, row: write.row, savedUnixMs: write.savedUnixMs }));
    return { code: 'OK' };
  }

  #call<T>(operation: string, generationId: string, apply: () => T[]): Promise<StoreAnswer<T>> {
    return throughHooks(this.#hooks, operation, (): StoreAnswer<T> => {
      const now = this.#disk.generationId;
      return generationId === now ? { code: 'OK', results: apply() } : { code: 'GENERATION', generationId: now };
    });
  }
}

function problemOf({ hi, lo }: Unit): string {
  return `the stored row of unit ${formatUnit(hi, lo)} is bent`;
}

/** Nobody changes what is stored through an array of his own. */
function copyOf(row: StoredRow): StoredRow {
  return { ...row, row: row.row?.slice() ?? null };
}
