export { RecordCounters } from './counters.ts';
export { type CrashNotes, noCrashNotes } from './crash-notes.ts';
export type { Frame, Return, StreamId } from './frame.ts';
export { deadLetterHeaders, ownHeaderPrefix, quarantinedReason } from './holder/applier.ts';
export type { EndWish } from './holder/closing-units.ts';
export type { FaultWish } from './holder/faulty-units.ts';
export type { HandOver } from './holder/hand-over.ts';
export { Holder } from './holder/holder.ts';
export type { HolderOptions } from './holder/holder-options.ts';
export type { HolderStream } from './holder/holder-stream.ts';
export type { HotUnitCount } from './holder/hot-units.ts';
export type { MarkWish } from './holder/marker-book.ts';
export type { Output } from './holder/output-buffer.ts';
export { decodeRow, encodeRow, type RowContent, type RowUser, type VectorEntry } from './holder/row-codec.ts';
export type { SealedUnit } from './holder/sealed-units.ts';
export { UnreadableRowError } from './holder/unreadable-row-error.ts';
export type { ClaimWish, RowWish } from './holder/wishes.ts';
export { Ingest, type IngestOptions, readingChanged } from './ingest/ingest.ts';
export type { IngestStream } from './ingest/ingest-stream.ts';
export type { PartitionReading } from './ingest/partition-reading.ts';
export {
  type Job,
  type JobRecord,
  type KeyLocator,
  type OutputSink,
  StateFaultError,
  StopWantedError,
  type Verdict,
} from './job.ts';
export type { LeaseView } from './lease-view.ts';
export { defaultRecordLimits, keyBytesMax, type RecordLimits } from './limits.ts';
export type { OffsetsBefore, QuarantinedUnit } from './quarantine.ts';
export type { RecordBatch } from './record-batch.ts';
export { checkBlock, RecordBlockError, RecordBlockReader, RecordBlockWriter } from './record-block.ts';
