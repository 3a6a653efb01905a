/** What keeps the leader from one of its duties, for an operator. Plain JSON data. */
export interface LeaderProblem {
  readonly about: 'store' | 'topic';
  /** Which topic; null for the store. */
  readonly topic: string | null;
  /** `TOPIC_MISSING`, the lease service's refusal (`TOPIC_CHANGED`, `FORMER_GENERATION`), or `FAILED`: the call did. */
  readonly code: string;
  readonly text: string;
  /** Since it began with this code. */
  readonly sinceMs: number;
}

export type ProblemNow = Omit<LeaderProblem, 'sinceMs'>;

/** The problems of one leadership: one per topic, and one of the store. */
export class LeaderProblems {
  readonly #problems = new Map<string, ProblemNow & { readonly begunMs: number }>();

  /** True when it is new, or says something else than before: then a line of the log is due. */
  begin(problem: ProblemNow, nowMs: number): boolean {
    const key = keyOf(problem);
    const before = this.#problems.get(key);
    const begunMs = before?.code === problem.code ? before.begunMs : nowMs;
    this.#problems.set(key, { ...problem, begunMs });
    return before?.code !== problem.code || before.text !== problem.text;
  }

  /** True when there was one. */
  end(what: Pick<ProblemNow, 'about' | 'topic'>): boolean {
    return this.#problems.delete(keyOf(what));
  }

  has(what: Pick<ProblemNow, 'about' | 'topic'>): boolean {
    return this.#problems.has(keyOf(what));
  }

  list(nowMs: number): LeaderProblem[] {
    return [...this.#problems.values()].map(({ begunMs, ...problem }) => ({ ...problem, sinceMs: nowMs - begunMs }));
  }
}

function keyOf({ about, topic }: Pick<ProblemNow, 'about' | 'topic'>): string {
  return `${about} ${topic}`;
}
