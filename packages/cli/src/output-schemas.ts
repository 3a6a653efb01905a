import { configJsonSchema } from '@holdfast/node';
import { z } from 'zod';

/** JSON Schemas of what the commands print: contracts. A version only gains fields, so readers must allow more. */

const figure = z.number().nullable();
const text = z.string().nullable();
const integerText = z.string().regex(/^\d+$/);
const instant = z.iso.datetime();
const unitText = z.string().regex(/^[0-9a-f]{16}$/);

const serviceSchema = z.object({ awayMs: figure, why: text });

const statusSchema = z.object({
  schema: z.literal('holdfast/status/v1'),
  at: instant,
  via: z.string(),
  consistency: z.enum(['leader', 'local']),
  cluster: z.object({
    id: text,
    name: z.string(),
    health: z.enum(['ok', 'degraded', 'unhealthy']),
    leader: text,
    term: integerText.nullable(),
    leaderSinceMs: figure,
    failureTolerance: z.int().min(0),
    quorum: z.object({ voters: z.int(), reachable: z.int() }),
    quarantined: z.int(),
    reasons: z.array(
      z.object({ code: z.string(), severity: z.enum(['unhealthy', 'degraded', 'note']), node: text, text: z.string() }),
    ),
  }),
  ingest: z.object({ recordsPerSec: figure, lagRecords: integerText.nullable(), lagSeconds: figure, lagAgeMs: figure }),
  balancing: z.object({ active: z.boolean(), left: z.number(), pause: text }).nullable(),
  problems: z
    .array(
      z.object({
        about: z.enum(['store', 'topic']),
        topic: text,
        code: z.string(),
        text: z.string(),
        sinceMs: z.number(),
      }),
    )
    .nullable(),
  backup: z.object({ oldestAgeMs: figure, intervalMs: z.number() }),
  totals: z.record(z.string(), integerText),
  nodes: z.array(
    z.object({
      id: z.string(),
      addr: z.string(),
      reachable: z.boolean(),
      error: text,
      member: text,
      memberSinceMs: figure,
      draining: z.boolean(),
      version: text,
      upMs: figure,
      raft: z.object({ role: text, term: integerText.nullable(), trails: integerText.nullable() }),
      session: z.object({ id: integerText.nullable(), endsInMs: figure }),
      leases: z.object({ count: figure, stale: z.boolean() }),
      recPerSec: figure,
      fwdPerSec: figure,
      queue: figure,
      loopP99Ms: figure,
      cpuPercent: figure,
      rssBytes: integerText.nullable(),
      backupAgeMs: figure,
      lastSeen: instant.nullable(),
      services: z.object({ log: serviceSchema, store: serviceSchema }).nullable(),
      shards: z.array(
        z.object({
          index: z.int(),
          address: text,
          leases: z.number(),
          dirty: z.number(),
          partitions: z.array(z.string()),
          recPerSec: figure,
          fwdPerSec: figure,
          queue: z.number(),
          lagRecords: integerText,
          backupAgeMs: z.number(),
          moved: integerText,
          handOverLeft: z.number(),
          movePause: z.object({ count: integerText, p50Ms: z.number(), p99Ms: z.number() }).nullable(),
          hot: z.array(z.object({ unit: unitText, user: text, recPerSec: z.number(), share: z.number() })),
        }),
      ),
    }),
  ),
});

const nodesSchema = z.object({ schema: z.literal('holdfast/nodes/v1'), nodes: statusSchema.shape.nodes });

const userSchema = z.object({
  schema: z.literal('holdfast/user/v1'),
  at: instant,
  user: z.string(),
  unit: unitText,
  via: text,
  consistency: z.enum(['leader', 'local']),
  index: integerText.nullable(),
  holder: z.object({ node: z.string(), shard: z.int(), addr: text, reachable: z.boolean(), error: text }).nullable(),
  history: z.array(
    z.object({ how: z.string(), node: text, shard: z.int(), index: integerText, at: instant.nullable() }),
  ),
  leaseEpoch: integerText.nullable(),
  quarantined: z.boolean().nullable(),
  source: z.enum(['holder', 'backup']),
  stale: z.boolean(),
  job: z.string(),
  state: z.unknown(),
  stateError: text,
  backup: z.object({ ageMs: figure, dirty: z.boolean() }),
  recPerSec: figure,
  applied: z.record(z.string(), integerText),
});

const counted = { count: z.int(), lastSeen: instant };
const exportSchema = z.object({
  user: z.string(),
  events: z.int(),
  successes: z.int(),
  failures: z.int(),
  locations: z.array(
    z.object({ city: text, country: text, count: z.int(), successes: z.int(), lastSeen: instant.nullable() }),
  ),
  noLocation: z.int(),
  otherLocations: z.int(),
  recentCities: z.array(z.string()),
  recentLogins: z.array(instant),
  recentNetworks: z.array(z.object({ network: z.string(), ...counted })),
  recentDevices: z.array(z.object({ device: z.string(), ...counted })),
  anomalies: z.object({
    total: z.int(),
    last: z.array(z.object({ id: z.string(), time: instant, level: z.string() })),
  }),
});

const reasons = z.record(z.string(), z.int()).nullable();
const devSchema = z.object({
  schema: z.literal('holdfast/dev/v1'),
  records: z.int(),
  recordsInLog: z.int(),
  seconds: z.number(),
  recordsPerSec: z.number(),
  users: z.int(),
  anomalies: z.int(),
  planted: z.int().nullable(),
  skipped: reasons,
  deadLetters: reasons,
  lost: z.int().nullable(),
  duplicates: z.int().nullable(),
  differences: z.array(z.string()),
  differencesCount: z.int(),
  nodeRestarts: z.int(),
  unverified: text,
});

const letterFields = {
  letter: z.string().regex(/^\d+@\d+$/),
  at: instant.nullable(),
  id: z.string(),
  reason: z.string(),
  job: z.string(),
  version: z.string(),
  from: z.object({ topic: z.string(), partition: z.int(), offset: integerText }).nullable(),
  output: z.object({ topic: z.string(), bytes: z.int().nullable() }).nullable(),
  valueBytes: z.int().nullable(),
  wholeBytes: z.int().nullable(),
};

const lettersSchema = z.object({
  schema: z.literal('holdfast/dlq/v1'),
  at: instant,
  topic: z.string(),
  records: integerText,
  looked: integerText,
  letters: z.array(z.object(letterFields)),
});

const bytes = z.object({ text, base64: z.base64() }).nullable();

const letterSchema = z.object({
  schema: z.literal('holdfast/dead-letter/v1'),
  ...letterFields,
  key: bytes,
  keyIs: z.enum(['record', 'user', 'cut']),
  headers: z.record(z.string(), z.string()),
  value: bytes,
});

const replaySchema = z.object({
  schema: z.literal('holdfast/dlq-replay/v1'),
  matching: integerText,
  replayed: integerText,
  refused: integerText,
  last: z.string().nullable(),
  next: z.string().nullable(),
});

const lagSchema = z.object({
  schema: z.literal('holdfast/lag/v1'),
  at: instant,
  group: z.string(),
  partitions: z.array(
    z.object({
      topic: z.string(),
      partition: z.int(),
      committed: integerText.nullable(),
      head: integerText,
      lag: integerText,
    }),
  ),
});

const feedSchema = z.object({
  schema: z.literal('holdfast/feed/v1'),
  topic: z.string(),
  partitions: z.int(),
  records: z.int(),
  longLines: z.int(),
  began: z.enum(['FRESH', 'AGAIN', 'COMPLETE_BEFORE', 'RESUMED', 'INTERRUPTED_BEFORE']).nullable(),
  complete: z.boolean(),
});

const errorSchema = z.object({
  schema: z.literal('holdfast/error/v1'),
  code: z.string(),
  exit: z.int(),
  text: z.string(),
  hint: text,
});

const configShowSchema = z.object({
  schema: z.literal('holdfast/config/v1'),
  settings: z.array(z.object({ path: z.string(), value: z.unknown(), origin: z.string().optional() })),
});

/** The schemas themselves, for checks of what is printed. */
export const documentSchemas: ReadonlyMap<string, z.ZodType> = new Map<string, z.ZodType>([
  ['holdfast/status/v1', statusSchema],
  ['holdfast/nodes/v1', nodesSchema],
  ['holdfast/user/v1', userSchema],
  ['holdfast/export/v1', exportSchema],
  ['holdfast/dev/v1', devSchema],
  ['holdfast/dlq/v1', lettersSchema],
  ['holdfast/dead-letter/v1', letterSchema],
  ['holdfast/dlq-replay/v1', replaySchema],
  ['holdfast/lag/v1', lagSchema],
  ['holdfast/feed/v1', feedSchema],
  ['holdfast/error/v1', errorSchema],
  ['holdfast/config/v1', configShowSchema],
]);

/** By name, as `holdfast schema` prints them. */
export const outputSchemas: ReadonlyMap<string, () => object> = new Map<string, () => object>([
  ...[...documentSchemas].map(([name, schema]): [string, () => object] => [name, () => jsonSchemaOf(name, schema)]),
  ['config', configJsonSchema],
]);

function jsonSchemaOf(name: string, schema: z.ZodType): object {
  return { ...z.toJSONSchema(schema, { io: 'input' }), title: name };
}
