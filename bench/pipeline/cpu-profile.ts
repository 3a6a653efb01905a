import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Figure } from '../run.ts';

/** What of V8's profile format is read here. */
interface CpuProfile {
  /** Microseconds of the monotonic clock. */
  readonly startTime: number;
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string };
    readonly children?: readonly number[];
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

const stages = [
  'fetch',
  'route',
  'forward',
  'parse',
  'apply',
  'backup',
  'outputs',
  'sockets',
  'control',
  'gc',
  'other',
] as const;
type Stage = (typeof stages)[number];

/** The first rule that a frame meets names the stage. Library code has no rule: it counts for whoever called it. */
const rules: readonly (readonly [RegExp, Stage])[] = [
  [/\(garbage collector\)/, 'gc'],
  [
    /engine\/src\/control|packages\/(raft|membership|gossip-swim|lease\/src\/(coordinator|replay))|lmdb-raft/,
    'control',
  ],
  [
    /lmdb-log-reader|log-block|partition-loop.*#next|stream-kafka\/src\/(kafka-reader|batch|codec|wire|apis\/fetch)/,
    'fetch',
  ],
  [/login-reader|mapping\/(normalise|path|geo|time|key-exact)|iso-time|normaliser/, 'parse'],
  [/mapping\/key|processor\/src\/ingest|model\/src\/unit-hash|lease\/src\/table-reader/, 'route'],
  [
    /state-encoder|state-codec|row-codec|lmdb-backup|compare-and-put|stored-row|rounds|store-loop|backup-redis|ioredis|redis-parser|holder\.ts.*(takeRows|#encode)/,
    'backup',
  ],
  [/output-loop|output-buffer|log-appender|batch-builder|partition-producer|encode-batch/, 'outputs'],
  [/transport-grpc|grpc-js|http2|stream-links\.ts.*(move|onFrame)$/, 'forward'],
  // What a socket costs before anybody of ours is told of its bytes.
  [/node:net|node:internal\/(stream|js_stream)|node:internal\/streams/, 'sockets'],
  [/processor\/src\/holder|access-anomaly\/src|packages\/sdk/, 'apply'],
];

/**
 * Milliseconds of busy samples per stage over all profiles of a folder (one per thread), from a moment on. Idle time is
 * left out.
 */
function timePerStage(dir: string, fromUs: number): Record<Stage, number> {
  const totals = Object.fromEntries(stages.map((stage) => [stage, 0])) as Record<Stage, number>;
  for (const name of readdirSync(dir)) {
    if (!name.endsWith('.cpuprofile')) continue;
    const profile = JSON.parse(readFileSync(join(dir, name), 'utf8')) as CpuProfile;
    const stageOf = classify(profile);
    let atUs = profile.startTime;
    profile.samples.forEach((id, i) => {
      atUs += profile.timeDeltas[i]!;
      if (atUs < fromUs) return;
      const stage = stageOf.get(id);
      if (stage !== undefined) totals[stage] += profile.timeDeltas[i]! / 1000;
    });
  }
  return totals;
}

/** Each stage's part of all JavaScript time. */
export function sharesOf(name: string, dir: string, fromUs = 0): Figure[] {
  const perStage = timePerStage(dir, fromUs);
  const total = stages.reduce((sum, stage) => sum + perStage[stage], 0);
  return stages.map((stage) => {
    return { name: `${name}/share/${stage}`, value: (perStage[stage] / total) * 100, unit: '% of JavaScript time' };
  });
}

/** The stage of each node: its own rule, else its caller's; undefined for idle. */
function classify(profile: CpuProfile): Map<number, Stage> {
  const byId = new Map(profile.nodes.map((node) => [node.id, node]));
  const stageOf = new Map<number, Stage>();
  const visit = (id: number, inherited: Stage): void => {
    const { callFrame, children } = byId.get(id)!;
    const { functionName, url } = callFrame;
    if (functionName === '(idle)') return;
    const frame = `${url} ${functionName}`;
    const stage = rules.find(([pattern]) => pattern.test(frame))?.[1] ?? inherited;
    stageOf.set(id, stage);
    for (const child of children ?? []) visit(child, stage);
  };
  visit(profile.nodes[0]!.id, 'other');
  return stageOf;
}
