import { type ServiceName, type ServicesSay, serviceBreakMs, serviceNames } from '@holdfast/lease';
import { errorText, type Logger } from '@holdfast/model';
import type { Timers } from '../ports/timers.ts';

/** Time between the end of one look and the next. */
const lookEveryMs = 2_000;
/**
 * A service that hasn't answered for so long is away. Longer than a broker's restart or a failover mostly takes: while
 * one is ridden out a node is as good as the others.
 */
export const awayAfterMs = 15_000;

/** Whether a service answers this node. */
export interface ServiceReport {
  /** How long it hasn't answered; null while it does, or has until a moment ago. */
  readonly awayMs: number | null;
  /** What the last try said, where one has ended since. */
  readonly why: string | null;
}

export type ServicesReport = Readonly<Record<ServiceName, ServiceReport>>;

/** For a node that has lost its session for want of it, a service is there again when it has answered for so long. */
const steadyAfterMs = 15_000;

/** What a node's session is told of log and store. */
export interface ServiceLook {
  say(): ServicesSay;
  /** A session was lost for want of a service. */
  sessionLost(): void;
  /** Whether another one may be asked for: at once, or, after such a loss, when both have answered for a while. */
  isSteady(): boolean;
}

/** Something small that a service has to answer. */
export type Looks = Readonly<Record<ServiceName, () => Promise<unknown>>>;

/**
 * Whether log and store answer this node. Each is asked over and over, one question at a time, so that one that is away
 * costs a question that waits, and no more.
 */
export class ServiceWatch implements ServiceLook {
  readonly #timers: Timers;
  readonly #logger: Logger;
  readonly #watched: Readonly<Record<ServiceName, Watched>>;
  #isDistrusted = false;
  #closed = false;

  constructor(looks: Looks, timers: Timers, logger: Logger) {
    this.#timers = timers;
    this.#logger = logger;
    const nowMs = timers.monotonicMs();
    const rest = { answeredMs: nowMs, steadySinceMs: nowMs, why: null, isTold: false };
    const begin = (): Watched => ({ ...rest, cancel: () => {} });
    this.#watched = { log: begin(), store: begin() };
    for (const name of serviceNames) void this.#look(name, looks[name]);
  }

  close(): void {
    this.#closed = true;
    for (const { cancel } of Object.values(this.#watched)) cancel();
  }

  report(): ServicesReport {
    return { log: this.#report('log'), store: this.#report('store') };
  }

  say(): ServicesSay {
    const of = (name: ServiceName) => ({ silentMs: this.#silentMs(name), steadyMs: this.#steadyMs(name) });
    return { log: of('log'), store: of('store') };
  }

  isSteady(): boolean {
    return !this.#isDistrusted;
  }

  sessionLost(): void {
    this.#isDistrusted = true;
  }

  #silentMs(name: ServiceName): number {
    return this.#timers.monotonicMs() - this.#watched[name].answeredMs;
  }

  #steadyMs(name: ServiceName): number {
    const isBroken = this.#silentMs(name) >= serviceBreakMs;
    return isBroken ? 0 : this.#timers.monotonicMs() - this.#watched[name].steadySinceMs;
  }

  #report(name: ServiceName): ServiceReport {
    const { why } = this.#watched[name];
    const silentMs = this.#silentMs(name);
    return silentMs < awayAfterMs ? { awayMs: null, why: null } : { awayMs: silentMs, why };
  }

  async #look(name: ServiceName, ask: () => Promise<unknown>): Promise<void> {
    const watched = this.#watched[name];
    // A question may wait as long as the adapter tries: what is told isn't told by its end.
    const cancel = this.#timers.setTimer(awayAfterMs, () => this.#tell(name));
    try {
      await ask();
      const nowMs = this.#timers.monotonicMs();
      if (nowMs - watched.answeredMs >= serviceBreakMs) watched.steadySinceMs = nowMs;
      watched.answeredMs = nowMs;
      watched.why = null;
      if (watched.isTold) this.#logger.info('answers again', { service: name });
      watched.isTold = false;
      if (serviceNames.every((each) => this.#steadyMs(each) >= steadyAfterMs)) this.#isDistrusted = false;
    } catch (error) {
      watched.why = errorText(error);
    }
    cancel();
    this.#tell(name);
    if (this.#closed) return;
    watched.cancel = this.#timers.setTimer(lookEveryMs, () => void this.#look(name, ask));
  }

  /** Once for each time that it is away. */
  #tell(name: ServiceName): void {
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
  /** Monotonic; when it was opened, before the first answer. */
  answeredMs: number;
  /** The first answer after the last break. */
  steadySinceMs: number;
  /** Of the last question that failed since. */
  why: string | null;
  /** The log has a line of it. */
  isTold: boolean;
  cancel: () => void;
}
