import type { SeedReport } from './seed-worker.ts';

/** What a run of many seeds adds up to. */
export class SeedSums {
  passed = 0;
  failed = 0;
  /** Why seeds proved too little to count, and how many did. */
  readonly thin = new Map<string, number>();
  virtualMs = 0;
  /** Of these, what ran in an earlier part of an interrupted run. */
  earlierMs = 0;
  twice = 0;
  readonly faults = new Map<string, number>();
  readonly seen = new Map<string, number>();

  add({ failure, result, twice }: Pick<SeedReport, 'failure' | 'result' | 'twice'>): void {
    if (failure !== null) {
      this.failed++;
      return;
    }
    if (result === null) return;
    this.virtualMs += result.virtualMs * (twice ? 2 : 1);
    if (twice) this.twice++;
    if (result.thin !== null) {
      addTo(this.thin, { [result.thin]: 1 });
      return;
    }
    this.passed++;
    addTo(this.faults, result.faults);
    addTo(this.seen, result.seen);
  }

  /** Lines for people; `kinds` are those that should have fired. */
  lines(name: string, kinds: readonly string[], seconds: number): string[] {
    const list = (entries: Iterable<readonly [string, number]>): string =>
      [...entries].map(([what, n]) => `${what} ${n}`).join(', ');
    const rate = (this.virtualMs - this.earlierMs) / 1000 / seconds;
    const lines = [
      `${name}: ${(this.virtualMs / 60_000).toFixed(0)} virtual minutes in ${seconds.toFixed(0)} s, ${rate.toFixed(0)} virtual s/s`,
      `faults: ${list(kinds.map((kind) => [kind, this.faults.get(kind) ?? 0] as const))}`,
      `seen: ${list(this.seen)}`,
      `run twice, the same trace: ${this.twice}`,
    ];
    if (this.thin.size > 0) lines.push(`seeds that proved too little, others drawn for them: ${list(this.thin)}`);
    return lines;
  }

  /** Kinds of faults that never fired, and checkers that never saw anything. */
  silent(kinds: readonly string[]): string[] {
    const unseen = [...this.seen].filter(([, n]) => n === 0).map(([name]) => name);
    return [...kinds.filter((kind) => !this.faults.get(kind)), ...unseen];
  }
}

function addTo(sums: Map<string, number>, counts: Readonly<Record<string, number>>): void {
  for (const [name, n] of Object.entries(counts)) sums.set(name, (sums.get(name) ?? 0) + n);
}
