import type { LeaseOptions } from '@holdfast/lease';
import type { VirtualProcess } from '../virtual-process.ts';
import type { CommittedLog } from './committed-log.ts';
import type { Report } from './report.ts';
import { promptMs } from './session-times.ts';

/** A renewal is answered by then, or failed. */
const answerMsMax = 1_500;
/** Looks of the node at its clock, answers on their way, entries that the leader has committed and not applied. */
const slackMs = 1_000;

/**
 * I8 and I10, the part of tables: a node whose table stands still holds for a bounded time only, whoever leads and whatever it is
 * answered. Its last renewal before the first entry that it lacks may keep it for as long as any, the next answer names
 * that entry, and a time to live after this it renews no more. Nobody is refused for a table that lacks nothing of a time to live ago.
 */
export class StaleHolders {
  readonly #report: Report;
  readonly #log: Pick<CommittedLog, 'entries'>;
  readonly #boundMs: number;
  readonly #heldSinceMs = new Map<number, number>();
  /** How often a node held on with a table that lacked something for a time to live. */
  stale = 0;
  /** Renewals that were refused for it. */
  refused = 0;
  readonly #lagMsMax: number;
  readonly #driftRatio: number;
  readonly #counted = new Set<number>();

  constructor(report: Report, log: Pick<CommittedLog, 'entries'>, lease: LeaseOptions, driftRatio: number) {
    this.#report = report;
    this.#log = log;
    this.#lagMsMax = lease.sessionTtlMs;
    this.#driftRatio = driftRatio;
    this.#boundMs = (lease.sessionTtlMs + 2 * lease.holderStopMs + answerMsMax) / (1 - driftRatio) + slackMs;
  }

  /** The node at `process` holds under this session now, by a table that is applied up to `tableIndex`. */
  onHolding(nodeId: string, process: VirtualProcess, session: number, tableIndex: number): void {
    const nowMs = process.worldMs;
    const sinceMs = this.#heldSinceMs.get(session);
    if (sinceMs === undefined) this.#heldSinceMs.set(session, nowMs);
    const lacked = this.#log.entries[tableIndex + 1];
    if (lacked === undefined) return;
    const lackedMs = nowMs - Math.max(lacked.atMs, sinceMs ?? nowMs);
    if (lackedMs <= this.#lagMsMax) return;
    if (!this.#counted.has(session)) this.stale++;
    this.#counted.add(session);
    if (lackedMs <= this.#boundMs || !process.isPrompt(promptMs)) return;
    this.#report(
      `I8: ${nodeId} holds under session ${session}, and its table lacks ${tableIndex + 1} for ${lackedMs.toFixed(0)} ms`,
    );
  }

  /** A renewal that named this index was refused, for its table. */
  onRefused(session: number, tableIndex: number, nowMs: number): void {
    this.refused++;
    const lacked = this.#log.entries[tableIndex + 1];
    const lackedMs = lacked === undefined ? 0 : nowMs - lacked.atMs;
    if (lackedMs < this.#lagMsMax / (1 + this.#driftRatio) - 1) {
      this.#report(`I10: session ${session} is refused for a table that is ${lackedMs.toFixed(0)} ms behind`);
    }
  }
}
