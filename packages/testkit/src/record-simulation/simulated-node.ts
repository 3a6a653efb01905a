import { LeaseTable, LeaseTableReader } from '@holdfast/lease';
import type { SessionId } from '@holdfast/model';
import type { Frame, Holder, HolderStream, Ingest, IngestStream, PartitionReading, Return } from '@holdfast/processor';

/** One stream with what is under way on it, on both ways. */
export interface Link {
  readonly out: IngestStream;
  readonly inn: HolderStream;
  readonly frames: Frame[];
  readonly returns: Return[];
  /** Its ingest has given it up; frames may still arrive. */
  broken: boolean;
  readonly toNode: number;
}

export type StoreCallKind = 'claim' | 'backup' | 'mark' | 'refused';

/** A call of the store: first the store acts, then its answer arrives, if it does. */
export interface StoreCall {
  kind: StoreCallKind;
  /** The generation that the call names. */
  readonly generation: number;
  /** Index of the generation entry that the caller knew. */
  readonly index: number;
  readonly incarnation: number;
  /** What the store does; it gives what the answer does. */
  readonly run: (index: number) => () => void;
  done: (() => void) | null;
}

export interface HeldReading {
  readonly reading: PartitionReading;
  readonly epoch: number;
  /** The reading's number and next offset as the reader knows them. */
  number: number;
  at: number;
}

export interface PendingOutputs {
  readonly number: number;
  readonly positions: readonly string[];
  readonly from: 'holder' | 'ingest';
}

/** One node: the table that its control thread writes, and one shard, which notices changes of the table later. */
export class SimulatedNode {
  readonly number: number;
  readonly table = new LeaseTable();
  readonly reader = new LeaseTableReader(this.table.buffer);
  incarnation = 1;
  session = 0 as SessionId;
  sessionAsked = false;
  /** Log records in the table. */
  applied = 0;
  /** Log records that the shard was told of. */
  noticed = 0;
  ingest: Ingest | null = null;
  holder: Holder | null = null;
  links: Link[] = [];
  calls: StoreCall[] = [];
  outputs: PendingOutputs[] = [];
  readonly readings = new Map<number, HeldReading>();
  /** A read barrier for the markers of claims: what they were, and up to where the table has to show the log. */
  settling: { readonly upTo: number; readonly index: number } | null = null;

  constructor(number: number) {
    this.number = number;
    this.table.onBuffer((buffer) => this.reader.attach(buffer));
  }
}
