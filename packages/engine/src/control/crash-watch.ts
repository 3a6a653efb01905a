import {
  type ConnectOutcome,
  CrashEvidence,
  type CrashRound,
  connectOutcomes,
  defaultCrashEvidence,
  type LeaseTable,
} from '@holdfast/lease';
import type { Logger, NodeId, SessionId } from '@holdfast/model';
import type { PeerHandlers, PeerTransport } from '../ports/peer-transport.ts';
import type { Timers } from '../ports/timers.ts';
import { decodeJson, encodeJson, type SessionRequest } from './calls.ts';

export const tryConnectMethod = 'node.tryConnect';
/** How often a leader looks who is silent. */
const lookMs = 50;
/** A host on the same continent answers by then; the rest of a round is for the other nodes' word. */
const connectMs = 200;
const witnessMs = 400;
/** Asked in one round: one that is refused is enough, if nobody else is let in. */
const witnessesMax = 4;

export interface CrashWatchOptions {
  readonly nodeId: NodeId;
  readonly table: LeaseTable;
  readonly transport: Pick<PeerTransport, 'call' | 'tryConnect'>;
  readonly timers: Timers;
  readonly logger: Logger;
}

/**
 * Looks after nodes that fall silent, while this one leads: tries to connect to where the session's node said it
 * listens, and has others try when it is refused. What that proves, `CrashEvidence` decides. On every node: answers a
 * leader that asks for its word.
 */
export class CrashWatch {
  readonly #options: CrashWatchOptions;
  readonly #heardAtMs = new Map<NodeId, number>();
  #evidence: CrashEvidence | null = null;
  #cancel: () => void = () => {};

  constructor(options: CrashWatchOptions) {
    this.#options = options;
  }

  /** The same handlers, with an ear on who is heard, and with an answer for a leader that asks for this node's word. */
  listening(handlers: PeerHandlers): PeerHandlers {
    return {
      ...handlers,
      onRaft: (from, messages) => {
        this.#heard(from);
        handlers.onRaft(from, messages);
      },
      onCall: (from, method, body) => {
        this.#heard(from);
        return method === tryConnectMethod ? this.#answer(body) : handlers.onCall(from, method, body);
      },
    };
  }

  /** A leadership has begun. `onGone`: the process of this session is proven gone; may be said again. */
  lead(onGone: (session: SessionId) => void): void {
    this.end();
    const { timers } = this.#options;
    const evidence = new CrashEvidence(defaultCrashEvidence, timers.monotonicMs());
    this.#evidence = evidence;
    const look = (): void => {
      this.#cancel = timers.setTimer(lookMs, look);
      this.#look(evidence, onGone);
    };
    this.#cancel = timers.setTimer(lookMs, look);
  }

  /** The leadership is over. */
  end(): void {
    this.#cancel();
    this.#evidence = null;
  }

  #heard(from: NodeId): void {
    const nowMs = this.#options.timers.monotonicMs();
    this.#heardAtMs.set(from, nowMs);
    this.#evidence?.heard(from, nowMs);
  }

  async #answer(body: Uint8Array): Promise<Uint8Array> {
    const { table, nodeId, timers } = this.#options;
    const info = table.session(decodeJson<SessionRequest>(body).session as SessionId);
    if (info === undefined) return encodeJson({ outcome: 'unknown' satisfies ConnectOutcome });
    const heardAtMs = this.#heardAtMs.get(info.nodeId) ?? Number.NEGATIVE_INFINITY;
    const isHeard = timers.monotonicMs() - heardAtMs < defaultCrashEvidence.quietMs;
    const outcome = info.nodeId === nodeId || isHeard ? 'accepted' : await this.#tryConnect(info.addresses[0]);
    return encodeJson({ outcome });
  }

  #look(evidence: CrashEvidence, onGone: (session: SessionId) => void): void {
    const { table, nodeId, timers } = this.#options;
    const others = [...table.sessions()].filter((info) => info.nodeId !== nodeId);
    for (const round of evidence.begin(others, timers.monotonicMs())) void this.#run(evidence, round, onGone);
  }

  async #run(evidence: CrashEvidence, round: CrashRound, onGone: (session: SessionId) => void): Promise<void> {
    const { table, nodeId, timers, logger } = this.#options;
    const told = (by: NodeId, outcome: ConnectOutcome): boolean => {
      if (this.#evidence !== evidence) return false;
      const verdict = evidence.answered(round, by, outcome, timers.monotonicMs());
      if (verdict === 'proven') {
        logger.warn('the process of a session is gone', { session: round.session, node: round.nodeId, seenBy: by });
        onGone(round.session);
      }
      return verdict === 'more';
    };
    const own = await this.#tryConnect(table.session(round.session)?.addresses[0]);
    if (!told(nodeId, own)) return;
    for (const witness of this.#witnesses(round)) {
      void this.#askWitness(witness, round).then((outcome) => told(witness, outcome));
    }
  }

  /** Others with a session; where there are many, the next round asks the next ones. */
  #witnesses({ nodeId: victim, number }: CrashRound): NodeId[] {
    const { table, nodeId } = this.#options;
    const ids = [...table.sessions()].map((info) => info.nodeId).filter((id) => id !== nodeId && id !== victim);
    const first = ids.length === 0 ? 0 : (number * witnessesMax) % ids.length;
    return [...ids.slice(first), ...ids.slice(0, first)].slice(0, witnessesMax);
  }

  async #askWitness(witness: NodeId, { session }: CrashRound): Promise<ConnectOutcome> {
    try {
      const bytes = await this.#options.transport.call(witness, tryConnectMethod, encodeJson({ session }), witnessMs);
      const { outcome } = decodeJson<{ outcome: ConnectOutcome }>(bytes);
      return connectOutcomes.includes(outcome) ? outcome : 'unknown';
    } catch {
      // It is away itself, or of a version that can't be asked.
      return 'unknown';
    }
  }

  #tryConnect(address: string | undefined): Promise<ConnectOutcome> {
    return address === undefined ? Promise.resolve('unknown') : this.#options.transport.tryConnect(address, connectMs);
  }
}
