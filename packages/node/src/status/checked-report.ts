import { ByteFormatError } from '@holdfast/model';
import { z } from 'zod';
import type { NodeReport } from './node-report.ts';

const text = z.string();
const number = z.number();
/** Shown as a text of digits. */
const whole = z.int().min(0);
/** The last instant that a date can hold. */
const unixMs = z.number().min(0).max(8.64e15);

const service = z.object({ awayMs: number.nullable(), why: text.nullable() });

const problem = z.object({ about: text, topic: text.nullable(), code: text, text, sinceMs: number });

const heldBack = z.object({
  what: text,
  topic: text.nullable(),
  sinceMs: number,
  tries: number,
  error: text.nullable(),
});

const shard = z.object({
  index: whole,
  address: text.nullable(),
  leases: number,
  partitions: z.array(text),
  stats: z.record(z.string(), number),
  oldestDirtyAgeMs: number.nullable(),
  hot: z.array(z.object({ unit: text, user: text.nullable(), recPerSec: number, share: number })),
  heldBack: z.array(heldBack).optional(),
  readPerSec: number.nullable(),
  appliedPerSec: number.nullable(),
  forwardedPerSec: number.nullable(),
});

/** What a report has to have. Names may come with later versions, so they are texts; what earlier ones lack is optional. */
const reportSchema = z.object({
  id: text,
  address: text,
  version: text,
  atUnixMs: unixMs,
  raft: z.object({
    role: text,
    term: whole,
    leader: text.nullable(),
    voters: z.array(text),
    trails: z.int().nullable(),
    leaderSinceMs: number.nullable(),
  }),
  balancing: z.object({ active: z.boolean(), left: number, pause: text.nullable() }).nullable(),
  problems: z.array(problem).nullable().optional(),
  session: z.object({ id: whole, endsInMs: number.nullable() }).nullable(),
  shards: z.array(shard),
  services: z.object({ log: service, store: service }),
  process: z.object({ cpuPercent: number.nullable(), rssBytes: whole, loopP99Ms: number.nullable(), upMs: number }),
  members: z.array(z.object({ id: text, state: text, sinceMs: number })),
});

/**
 * What another node has said of itself, looked at before it becomes part of the cluster's status: it may be of another
 * version, or broken, and that is no reason to have no status of the others.
 * @param id of the node that was asked
 * @throws ByteFormatError
 */
export function checkedReport(report: unknown, id: string): NodeReport {
  const issue = reportSchema.safeParse(report).error?.issues[0];
  if (issue !== undefined) {
    const where = issue.path.length === 0 ? '' : `${issue.path.join('.')}: `;
    throw new ByteFormatError(`its report makes no sense: ${where}${issue.message}`);
  }
  const checked = report as NodeReport;
  if (checked.id !== id) throw new ByteFormatError(`its report is of another node: ${checked.id}`);
  return checked;
}
