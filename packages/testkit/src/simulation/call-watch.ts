import type { LeaderReply } from '@holdfast/engine';
import { decodeUtf8, type NodeId } from '@holdfast/model';
import type { SimulatedWorld } from './simulated-world.ts';

/** Reads what nodes ask of the leader and are answered, for the checkers of the lease service. */
export class CallWatch {
  readonly #world: SimulatedWorld;

  constructor(world: SimulatedWorld) {
    this.#world = world;
  }

  /** @returns what to call with the answer */
  sent(from: NodeId, method: string, body: Uint8Array): (answer: Uint8Array) => void {
    const { checks, time } = this.#world;
    const node = this.#world.node(from);
    const { process, counter } = node;
    const proof = { sentAtMs: time.nowMs, sentAtOwnMs: process!.monotonicMs() };
    return (bytes) => {
      const answer = parse<LeaderReply<{ session?: number; index?: number }>>(bytes);
      if (method === 'session.renew' && answer?.code === 'RETRY' && answer.text.includes('log does not reach')) {
        const { session, tableIndex } = parse<{ session: number; tableIndex: number }>(body)!;
        checks.stale.onRefused(session, tableIndex, time.nowMs);
      }
      if (answer?.code !== 'OK') return;
      switch (method) {
        case 'session.open':
          checks.service.onOpened(from, answer.session!, counter);
          checks.times.onProof(answer.session!, proof);
          return;
        case 'session.renew':
          checks.times.onProof(parse<{ session: number }>(body)!.session, proof);
          return;
        case 'session.end':
          checks.service.onEnded(from, parse<{ session: number }>(body)!.session);
          return;
        default:
          if (answer.index !== undefined) checks.service.onAnswered(from, method, answer.index);
      }
    };
  }
}

function parse<T>(bytes: Uint8Array): T | null {
  const text = decodeUtf8(bytes);
  return text === null ? null : (JSON.parse(text) as T);
}
