import type { SessionId } from '@holdfast/model';
import type { LeaseOptions } from './options.ts';

/** What every node needs beside its peers: the log of the records, and the backup store. */
export const serviceNames = ['log', 'store'] as const;
export type ServiceName = (typeof serviceNames)[number];

/** A node asks every two seconds, and an answer takes its time: a silence from here on is a break. */
export const serviceBreakMs = 6_000;

/** How a service answers a node, by the node's own clock. */
export interface ServiceSays {
  /** Since its last answer. */
  readonly silentMs: number;
  /** For how long it has answered without a break; 0 in one. */
  readonly steadyMs: number;
}

export type ServicesSay = Readonly<Record<ServiceName, ServiceSays>>;

/** Another session than the one in question. */
export interface OtherSession {
  readonly session: SessionId;
  /** It could be given units and partitions now. */
  readonly mayReceive: boolean;
}

/**
 * Which services answer which nodes, as renewals say. A node that lacks one which the others have can't do its work, and
 * its units wait with it: it has to lose its session, as if it had crashed. Where the others lack it too, it is the
 * service that is away, and a move would help nobody.
 */
export class ServiceNews {
  readonly #awayMs: number;
  /** Null: its version doesn't say. */
  readonly #said = new Map<SessionId, ServicesSay | null>();

  constructor({ serviceAwayMs }: Pick<LeaseOptions, 'serviceAwayMs'>) {
    this.#awayMs = serviceAwayMs;
  }

  note(session: SessionId, says: ServicesSay | undefined): void {
    this.#said.set(session, says ?? null);
  }

  /** Forgets all sessions but these. */
  keep(sessions: ReadonlySet<SessionId>): void {
    for (const session of this.#said.keys()) if (!sessions.has(session)) this.#said.delete(session);
  }

  /**
   * The service that a node lacks, though more than half of the others have all of them and could take over; null: none.
   * They must have had it for as long, or the last one to find its way back after an outage would be taken for cut off.
   */
  lacking(says: ServicesSay, others: () => readonly OtherSession[]): ServiceName | null {
    const lacked = this.#away(says);
    if (lacked === null) return null;
    const all = others();
    const having = all.filter(({ session, mayReceive }) => mayReceive && this.#hasAll(session)).length;
    return 2 * having > all.length ? lacked : null;
  }

  /** The service that a node lacks while a new leader has yet to hear how the others are doing; null: none. */
  lackingPerhaps(says: ServicesSay, others: () => readonly OtherSession[]): ServiceName | null {
    const isUnheard = ({ session, mayReceive }: OtherSession): boolean => mayReceive && !this.#said.has(session);
    const lacked = this.#away(says);
    return lacked !== null && others().some(isUnheard) ? lacked : null;
  }

  #away(says: ServicesSay): ServiceName | null {
    return serviceNames.find((name) => says[name].silentMs >= this.#awayMs) ?? null;
  }

  #hasAll(session: SessionId): boolean {
    const says = this.#said.get(session);
    if (says == null) return false;
    return serviceNames.every((name) => {
      return says[name].silentMs < serviceBreakMs && says[name].steadyMs >= this.#awayMs;
    });
  }
}
