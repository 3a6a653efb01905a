import type { ShardRef } from '@holdfast/model';
import type { RecordCounters } from '../counters.ts';
import type { CrashNotes } from '../crash-notes.ts';
import type { Job } from '../job.ts';
import type { LeaseView } from '../lease-view.ts';
import type { RecordLimits } from '../limits.ts';

/** What a holder is made of. */
export interface HolderOptions {
  readonly self: ShardRef;
  readonly job: Job;
  readonly leases: LeaseView;
  readonly deadLetterTopic: string;
  readonly limits?: RecordLimits;
  readonly counters?: RecordCounters;
  readonly crashNotes?: CrashNotes;
}
