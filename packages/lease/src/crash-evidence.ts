import { assert, type NodeId, type SessionId } from '@holdfast/model';

/**
 * What came of opening a connection to where a session's node said it listens.
 * - `refused`: its host answered that nobody listens there. Only the host of a process that is gone says that: a paused
 *   process, a busy one, and one whose backlog is full still have a listener.
 * - `accepted`: somebody listens, or the asked node has just heard from it.
 * - `unknown`: no answer in time, no way there, or a table that doesn't show the session.
 */
export const connectOutcomes = ['refused', 'accepted', 'unknown'] as const;
export type ConnectOutcome = (typeof connectOutcomes)[number];

/** One node alone may be behind a wrong firewall. */
const refusalsNeeded = 2;

/** One look after one session's node. */
export interface CrashRound {
  readonly session: SessionId;
  readonly nodeId: NodeId;
  /** Of this leadership. */
  readonly number: number;
}

export interface CrashEvidenceOptions {
  /** Silence after which a node is looked after: some of Raft's heartbeats. */
  readonly quietMs: number;
  /** A round lasts so long: later answers count for nothing, and the next one begins. */
  readonly roundMs: number;
}

export const defaultCrashEvidence: CrashEvidenceOptions = Object.freeze({ quietMs: 300, roundMs: 500 });

/** `more`: another node has to see it too. `proven`: the process of the session is gone. */
export type CrashVerdict = 'nothing' | 'more' | 'proven';

interface OpenRound extends CrashRound {
  readonly beganAtMs: number;
  readonly refusedTo: Set<NodeId>;
  isVoid: boolean;
}

/**
 * The leader's evidence that the process of a session is gone: within one round two nodes were refused the connection to
 * the address that this session named when it was opened, nobody was let in, and the leader has heard nothing of the
 * node since the round began. Silence alone is never evidence, and evidence about one session none about the next.
 *
 * A false verdict would cost an early end, never a record: the store's fence holds (PROTOCOL.md 5.1). Volatile: it
 * begins and ends with a leadership.
 */
export class CrashEvidence {
  readonly #options: CrashEvidenceOptions;
  readonly #startedAtMs: number;
  readonly #heardAtMs = new Map<NodeId, number>();
  readonly #rounds = new Map<SessionId, OpenRound>();
  #roundCount = 0;

  /** A new leader hasn't heard from anybody yet: silence counts from now. */
  constructor(options: CrashEvidenceOptions, startedAtMs: number) {
    assert(options.quietMs > 0 && options.roundMs > 0, 'times of crash evidence are above 0');
    this.#options = options;
    this.#startedAtMs = startedAtMs;
  }

  /** A message or a call of the node has arrived. */
  heard(nodeId: NodeId, atMs: number): void {
    this.#heardAtMs.set(nodeId, Math.max(atMs, this.#lastHeardMs(nodeId)));
  }

  /** Rounds that begin now, of all live sessions but the leader's own: try each one's address, and tell `answered`. */
  begin(sessions: Iterable<{ readonly session: SessionId; readonly nodeId: NodeId }>, nowMs: number): CrashRound[] {
    const live = new Set<SessionId>();
    const begun: CrashRound[] = [];
    for (const { session, nodeId } of sessions) {
      live.add(session);
      if (nowMs - this.#lastHeardMs(nodeId) < this.#options.quietMs) {
        this.#rounds.delete(session);
        continue;
      }
      const known = this.#rounds.get(session);
      if (known !== undefined && nowMs - known.beganAtMs < this.#options.roundMs) continue;
      const number = ++this.#roundCount;
      this.#rounds.set(session, { session, nodeId, number, beganAtMs: nowMs, refusedTo: new Set(), isVoid: false });
      begun.push({ session, nodeId, number });
    }
    for (const session of this.#rounds.keys()) if (!live.has(session)) this.#rounds.delete(session);
    return begun;
  }

  /** What node `by` met with in this round; the leader's own attempt comes first. */
  answered({ session, number }: CrashRound, by: NodeId, outcome: ConnectOutcome, nowMs: number): CrashVerdict {
    const round = this.#rounds.get(session);
    if (round === undefined || round.number !== number || round.isVoid) return 'nothing';
    const isLate = nowMs - round.beganAtMs >= this.#options.roundMs;
    const isHeard = this.#lastHeardMs(round.nodeId) >= round.beganAtMs;
    if (isLate || isHeard || outcome === 'accepted') round.isVoid = true;
    if (round.isVoid || outcome !== 'refused' || by === round.nodeId) return 'nothing';
    round.refusedTo.add(by);
    if (round.refusedTo.size < refusalsNeeded) return 'more';
    // Said once; if its end doesn't get into the log, the next round says it again.
    round.isVoid = true;
    return 'proven';
  }

  #lastHeardMs(nodeId: NodeId): number {
    return this.#heardAtMs.get(nodeId) ?? this.#startedAtMs;
  }
}
