import type { SessionId } from '@holdfast/model';
import type { LeaseRefusal } from './errors.ts';
import type { LeaseTable } from './lease-table.ts';
import type { LeaseOptions } from './options.ts';
import { type OtherSession, ServiceNews, type ServicesSay } from './service-news.ts';
import { TableFloor } from './table-floor.ts';

/** How a node is doing, as it says with each proof of life; versions of before don't say. */
export interface NodeSays {
  /** Of its lease table. */
  readonly tableIndex?: number;
  /** Whether log and store answer it. */
  readonly services?: ServicesSay;
}

/** Which nodes can do the work of a session, beside being alive: they get the lease log, and have log and store. */
export class NodeFitness {
  readonly #floor: TableFloor;
  readonly #services: ServiceNews;

  constructor(options: LeaseOptions) {
    this.#floor = new TableFloor(options.sessionTtlMs);
    this.#services = new ServiceNews(options);
  }

  /** What the table shows by now is committed. */
  passed(nowMs: number, table: Pick<LeaseTable, 'tableIndex' | 'sessions'>): void {
    this.#floor.note(nowMs, table.tableIndex);
    this.#services.keep(new Set([...table.sessions()].map(({ session }) => session)));
  }

  heard(session: SessionId, { services }: NodeSays): void {
    this.#services.note(session, services);
  }

  /**
   * What a node lacks: null when it is fit, as far as it says.
   * @param isOpening it asks for a session, and has waited for nothing yet: what a new leader doesn't know counts against it
   */
  lacking(
    { tableIndex, services }: NodeSays,
    others: () => readonly OtherSession[],
    isOpening: boolean,
    nowMs: number,
  ): LeaseRefusal | null {
    const floor = this.#floor.at(nowMs);
    if (tableIndex !== undefined && tableIndex < floor) return { code: 'TABLE_BEHIND', tableIndex, floor };
    if (services === undefined) return null;
    const perhaps = isOpening ? this.#services.lackingPerhaps(services, others) : null;
    const service = this.#services.lacking(services, others) ?? perhaps;
    return service === null ? null : { code: 'SERVICE_AWAY', service, silentMs: services[service].silentMs };
  }
}
