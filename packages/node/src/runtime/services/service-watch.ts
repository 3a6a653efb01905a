import type { Timers } from '@holdfast/engine';
import { errorText, type Logger } from '@holdfast/model';
import type { ServiceReport, ServicesReport } from '../../status/node-report.ts';

/** Time between the end of one look and the next. */
const lookEveryMs = 2_000;
/**
 * A service that hasn't answered for so long is away. Longer than a broker's restart or a failover mostly takes: while
 * one is ridden out a node is as good as the others.
 */
export const awayAfterMs = 15_000;

/** Something small that a service has to answer. */
export type Looks = Readonly<Record<keyof ServicesReport, () => Promise<unknown>>>;

/**
 * Whether log and store answer this node. Each is asked over and over, one question at a time, so that one that is away
 * costs a question that waits, and no more.
 */
export class ServiceWatch {
  readonly #timers: Timers;
  readonly #logger: Logger;
  readonly #watched: Readonly<Record<keyof ServicesReport, Watched>>;
  #closed = false;

  constructor(looks: Looks, timers: Timers, logger: Logger) {
    this.#timers = timers;
    this.#logger = logger;
    const begin = (): Watched => ({ answeredMs: timers.monotonicMs(), why: null, isTold: false, cancel: () => {} });
    this.#watched = { log: begin(), store: begin() };
    for (const name of ['log', 'store'] as const) void this.#look(name, looks[name]);
  }

  close(): void {
    this.#closed = true;
    for (const { cancel } of Object.values(this.#watched)) cancel();
  }

  report(): ServicesReport {
    return { log: this.#report('log'), store: this.#report('store') };
  }

  #report(name: keyof ServicesReport): ServiceReport {
    const { answeredMs, why } = this.#watched[name];
    const silentMs = this.#timers.monotonicMs() - answeredMs;
    return silentMs < awayAfterMs ? { awayMs: null, why: null } : { awayMs: silentMs, why };
  }

  async #look(name: keyof ServicesReport, ask: () => Promise<unknown>): Promise<void> {
    const watched = this.#watched[name];
    // A question may wait as long as the adapter tries: what is told isn't told by its end.
    const cancel = this.#timers.setTimer(awayAfterMs, () => this.#tell(name));
    try {
      await ask();
      watched.answeredMs = this.#timers.monotonicMs();
      watched.why = null;
      if (watched.isTold) this.#logger.info('answers again', { service: name });
      watched.isTold = false;
    } catch (error) {
      watched.why = errorText(error);
    }
    cancel();
    this.#tell(name);
    if (this.#closed) return;
    watched.cancel = this.#timers.setTimer(lookEveryMs, () => void this.#look(name, ask));
  }

  /** Once for each time that it is away. */
  #tell(name: keyof ServicesReport): void {
    const watched = this.#watched[name];
    const { awayMs, why } = this.#report(name);
    if (this.#closed || watched.isTold || awayMs === null) return;
    watched.isTold = true;
    this.#logger.warn('a service does not answer: this node is not ready', {
      service: name,
      forMs: Math.round(awayMs),
      why,
    });
  }
}

interface Watched {
  /** Monotonic. */
  answeredMs: number;
  /** Of the last question that failed since. */
  why: string | null;
  /** The log has a line of it. */
  isTold: boolean;
  cancel: () => void;
}

/** For an operator, in a few words. */
export function describeService({ awayMs, why }: ServiceReport): string {
  if (awayMs === null) return 'answers';
  return `no answer for ${Math.round(awayMs / 1000)}s${why === null ? '' : `: ${why}`}`;
}
