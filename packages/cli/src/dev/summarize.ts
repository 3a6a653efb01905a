import { existsSync } from 'node:fs';
import { builtInMappings } from '@holdfast/access-anomaly';
import type { LmdbLog } from '@holdfast/embedded';
import type { TopicInfo } from '@holdfast/engine';
import type { FeedState } from './feed.ts';
import { type DevSummary, differencesShownMax, reasonsOf } from './summary.ts';
import { readExport, recountRecordsMax, verify } from './verify.ts';

export interface RunFacts {
  readonly log: LmdbLog;
  readonly topic: TopicInfo;
  readonly storePath: string;
  /** The mapping's name or path. */
  readonly format: string;
  readonly feed: FeedState;
  readonly seconds: number;
  readonly restarts: number;
  readonly recordsInLog: number;
  /** Records of the log that are not committed yet. */
  readonly unread: number;
}

/** Reads the store as `export` would, counts the log again where that is possible, and says what came of the run. */
export async function summarize(facts: RunFacts): Promise<DevSummary> {
  const { feed, seconds, recordsInLog } = facts;
  const nobody = { users: [], totals: { users: 0, events: 0, anomalies: 0 } };
  const { users, totals } = existsSync(facts.storePath) ? await readExport(facts.storePath) : nobody;
  const unverified = whyUnverified(facts);
  const checked = unverified === null ? await verify(facts.log, facts.topic, facts.format, users) : null;
  const differences = checked?.comparison.differences ?? [];
  return {
    schema: 'holdfast/dev/v1',
    records: feed.records,
    recordsInLog,
    seconds,
    recordsPerSec: seconds > 0 ? feed.records / seconds : 0,
    users: totals.users,
    anomalies: totals.anomalies,
    planted: feed.planted,
    skipped: checked === null ? null : reasonsOf(checked.recount.reasons, 'skip'),
    deadLetters: checked === null ? null : reasonsOf(checked.recount.reasons, 'dead'),
    lost: checked?.comparison.lost ?? null,
    duplicates: checked?.comparison.duplicates ?? null,
    differences: differences.slice(0, differencesShownMax),
    differencesCount: differences.length,
    nodeRestarts: facts.restarts,
    unverified,
  };
}

function whyUnverified({ unread, recordsInLog, format }: RunFacts): string | null {
  if (unread > 0) return `${unread} records of the log are not applied yet`;
  if (recordsInLog > recountRecordsMax) return `more than ${recountRecordsMax} records in the log`;
  if (!builtInMappings.has(format)) return `the reference reads ${[...builtInMappings.keys()].join(', ')} only`;
  return null;
}
