import {
  type CrashKnowledge,
  type CrashNote,
  type CrashReports,
  isSuspect,
  learn,
  nothingKnown,
} from '@holdfast/engine';
import type { CrashNotes } from '@holdfast/processor';
import type { CrashFolder, CrashFolderStart } from './crash-folder-conformance.ts';

/** Whose notes they are: a dead process writes none. */
export interface NotingLife {
  isAlive(): boolean;
  nowMs(): number;
}

const everLiving: NotingLife = { isAlive: () => true, nowMs: () => 0 };
/** Work that was done so shortly before an end may as well have been under way. */
const inWorkMs = 20;

/** The notes of a node's shards and what was learnt of them, in memory: the twin of the embedded crash folder. */
export class MemoryCrashFolder implements CrashFolder {
  #known: CrashKnowledge = nothingKnown;
  readonly #notes = new Map<number, CrashNote>();
  readonly #cleared = new Map<number, { readonly note: CrashNote; readonly atMs: number }>();

  start(): CrashFolderStart {
    this.#known = learn(this.#known, [...this.#notes.values()]);
    this.#notes.clear();
    this.#cleared.clear();
    const folder = this;
    const reports: CrashReports = {
      get pending() {
        return folder.#known.crashes;
      },
      told: () => {
        folder.#known = { ...folder.#known, crashes: [] };
      },
    };
    return { reports, notes: (shard, counter) => this.notes(shard, counter) };
  }

  /** Of a shard of the present process. */
  notes(shard: number, counter: number, life: NotingLife = everLiving): CrashNotes {
    const { suspects } = this.#known;
    const note = (note: CrashNote): void => {
      if (life.isAlive()) this.#notes.set(shard, note);
    };
    return {
      frame: ({ topicId, partition }, first, last) => note({ kind: 'frame', counter, topicId, partition, first, last }),
      record: (hi, lo, { topicId, partition }, offset) =>
        note({ kind: 'record', counter, hi, lo, topicId, partition, offset }),
      clear: () => {
        const cleared = this.#notes.get(shard);
        if (cleared === undefined || !life.isAlive()) return;
        this.#notes.delete(shard);
        this.#cleared.set(shard, { note: cleared, atMs: life.nowMs() });
      },
      isSuspect: (partition, first, last) => isSuspect(suspects, partition, first, last),
    };
  }

  /** The process ended in the midst of what its shards had only just done. */
  endInWork(nowMs: number): void {
    for (const [shard, { note, atMs }] of this.#cleared) {
      if (nowMs - atMs <= inWorkMs && !this.#notes.has(shard)) this.#notes.set(shard, note);
    }
  }
}
