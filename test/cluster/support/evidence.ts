import type { StatusDocument } from '@holdfast/node';
import type { Cluster } from './cluster.ts';
import type { NodeProcess } from './node-process.ts';

/** What a round must have met to count: a round in which nothing happened proves nothing. */
export interface Evidence {
  forwarded: number;
  refused: number;
  replayed: number;
  duplicates: number;
  fenced: number;
  /** Nodes that were killed, or outlived their session, while they had changes that no backup covered. */
  uncleanEndsWithDirtyUnits: number;
}

/** What of a cluster is looked at. */
export interface Watched extends Pick<Cluster, 'status'> {
  readonly nodes: readonly NodeProcess[];
}

/** Watches the status while a round goes on; totals begin anew with each process, so the highest seen counts. */
export class Witness {
  readonly seen: Evidence = {
    forwarded: 0,
    refused: 0,
    replayed: 0,
    duplicates: 0,
    fenced: 0,
    uncleanEndsWithDirtyUnits: 0,
  };
  /** Rows that were missing from a status: every node must be shown, a dead one too. */
  readonly missingRows: string[] = [];
  last: StatusDocument | null = null;
  readonly #cluster: Watched;
  #stopped = false;
  readonly #done: Promise<void>;

  constructor(cluster: Watched) {
    this.#cluster = cluster;
    this.#done = this.#watch();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#done;
  }

  dirtyUnits(id: string): number {
    const row = this.last?.nodes.find((node) => node.id === id);
    return row?.reachable ? row.shards.reduce((sum, { dirty }) => sum + (dirty ?? 0), 0) : 0;
  }

  backupAgeMs(id: string): number {
    const row = this.last?.nodes.find((node) => node.id === id);
    return row?.reachable ? (row.backupAgeMs ?? 0) : 0;
  }

  /** A fault is about to end this node's session uncleanly. */
  noteUncleanEnd(id: string): void {
    if (this.dirtyUnits(id) > 0) this.seen.uncleanEndsWithDirtyUnits++;
  }

  async #watch(): Promise<void> {
    while (!this.#stopped) {
      const status = await this.#cluster.status();
      if (status !== null) this.#note(status);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }

  #note(status: StatusDocument): void {
    this.last = status;
    for (const name of ['forwarded', 'refused', 'replayed', 'duplicates', 'fenced'] as const) {
      this.seen[name] = Math.max(this.seen[name], Number(status.totals[name]));
    }
    for (const { id } of this.#cluster.nodes) {
      if (!status.nodes.some((row) => row.id === id)) this.missingRows.push(`${status.at}: ${id}`);
    }
  }
}
