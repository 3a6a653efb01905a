import { type NodeId, nodeId } from '@holdfast/model';
import type { RaftMessage } from '@holdfast/raft';
import { PeerCallError, type PeerHandlers, type PeerTransport } from '../ports/peer-transport.ts';
import type { Timers } from '../ports/timers.ts';

interface Timer {
  readonly atMs: number;
  readonly seq: number;
  readonly fn: () => void;
}

/** Virtual time and an in-memory network for the control plane's tests: one thread, no real timers, always the same. */
export class VirtualTime implements Timers {
  #nowMs = 1_000;
  #seq = 0;
  #queue: Timer[] = [];

  monotonicMs(): number {
    return this.#nowMs;
  }

  wallUnixMs(): number {
    return 1_700_000_000_000 + this.#nowMs;
  }

  setTimer(delayMs: number, fn: () => void): () => void {
    const timer = { atMs: this.#nowMs + Math.max(0, delayMs), seq: this.#seq++, fn };
    this.#queue.push(timer);
    return () => {
      this.#queue = this.#queue.filter((other) => other !== timer);
    };
  }

  /** Lets `durationMs` pass, timer by timer, microtasks drained after each. */
  async run(durationMs: number): Promise<void> {
    const endMs = this.#nowMs + durationMs;
    await drainMicrotasks();
    while (this.#next(endMs)) await drainMicrotasks();
    this.#nowMs = endMs;
  }

  /** Runs until the condition holds; false when it doesn't within `limitMs`. */
  async until(condition: () => boolean, limitMs: number): Promise<boolean> {
    const endMs = this.#nowMs + limitMs;
    await drainMicrotasks();
    while (!condition()) {
      if (!this.#next(endMs)) {
        this.#nowMs = endMs;
        return condition();
      }
      await drainMicrotasks();
    }
    return true;
  }

  /** Moves the clock without running anything: a stalled process. */
  stall(durationMs: number): void {
    this.#nowMs += durationMs;
  }

  #next(endMs: number): boolean {
    let best: Timer | undefined;
    for (const timer of this.#queue) {
      if (best === undefined || timer.atMs < best.atMs || (timer.atMs === best.atMs && timer.seq < best.seq))
        best = timer;
    }
    if (best === undefined || best.atMs > endMs) return false;
    this.#queue.splice(this.#queue.indexOf(best), 1);
    this.#nowMs = Math.max(this.#nowMs, best.atMs);
    best.fn();
    return true;
  }
}

/** All that is runnable has run when the next macrotask begins. */
export function drainMicrotasks(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Joins transports by node id; messages take `latencyMs`; cuts are by pair or by node. */
export class MemoryNetwork {
  readonly latencyMs = 1;
  readonly #time: VirtualTime;
  readonly #listeners = new Map<string, PeerHandlers>();
  readonly #cut = new Set<string>();
  /** Nodes whose host says that nobody listens there, to all or to some. */
  readonly refusing = new Map<string, readonly string[] | 'all'>();
  readonly #unanswered = new Set<string>();
  /** Nodes that no message of Raft reaches, while calls and answers do. */
  readonly logless = new Set<string>();
  /** Pieces of snapshots take so much longer. */
  snapshotMs = 0;
  /** Changes what calls and their answers carry, as nodes of another version would. */
  rewrite: (method: string, what: 'request' | 'answer', bytes: Uint8Array) => Uint8Array = (_, __, bytes) => bytes;
  readonly raftSent: { from: NodeId; to: NodeId; message: RaftMessage }[] = [];

  constructor(time: VirtualTime) {
    this.#time = time;
  }

  /** Its messages and calls arrive, but no call of it gets an answer. */
  loseAnswersTo(id: string): void {
    this.#unanswered.add(id);
  }

  isolate(id: string): void {
    this.#cut.add(id);
  }

  heal(id: string): void {
    this.#cut.delete(id);
  }

  /** A call as another process under `from`'s name would make it. */
  async callAs(from: string, to: string, method: string, body: Uint8Array): Promise<Uint8Array> {
    return this.#listeners.get(to)!.onCall(nodeId(from), method, body);
  }

  transport(id: string): PeerTransport {
    const me = nodeId(id);
    let own: PeerHandlers | undefined;
    /** Null: everybody, as nobody has said. */
    let peers: ReadonlyMap<NodeId, string> | null = null;
    const reach = (to: string): PeerHandlers | undefined =>
      this.#cut.has(id) || this.#cut.has(to) || own === undefined || this.#listeners.get(id) !== own
        ? undefined
        : this.#listeners.get(to);
    return {
      setPeers: (addresses) => {
        peers = addresses;
      },
      sendRaft: (to, messages) => {
        for (const message of messages) this.raftSent.push({ from: me, to, message });
        if (this.logless.has(to) || peers?.has(to) === false) return;
        const list = [...messages];
        const delayMs = this.latencyMs + (list.some(({ type }) => type === 'snapshot') ? this.snapshotMs : 0);
        this.#time.setTimer(delayMs, () => reach(to)?.onRaft(me, list));
      },
      call: (to, method, body, timeoutMs) =>
        new Promise((resolve, reject) => {
          this.#time.setTimer(timeoutMs, () => reject(new PeerCallError('DEADLINE', `${to} took too long`)));
          this.#time.setTimer(this.latencyMs, () => {
            const there = reach(to);
            if (there === undefined) return;
            there.onCall(me, method, this.rewrite(method, 'request', body)).then(
              (answer) => {
                this.#time.setTimer(this.latencyMs, () => {
                  if (reach(to) !== there || this.#unanswered.has(id)) return;
                  resolve(this.rewrite(method, 'answer', answer));
                });
              },
              (error: unknown) => {
                this.#time.setTimer(this.latencyMs, () => {
                  if (reach(to) === there) reject(new PeerCallError('FAILED', String(error)));
                });
              },
            );
          });
        }),
      tryConnect: (address, timeoutMs) =>
        new Promise((resolve) => {
          const to = address.slice('memory:'.length);
          const refusing = this.refusing.get(to);
          if (refusing === 'all' || refusing?.includes(id)) {
            this.#time.setTimer(2 * this.latencyMs, () => resolve('refused'));
          } else if (reach(to) !== undefined) this.#time.setTimer(2 * this.latencyMs, () => resolve('accepted'));
          else this.#time.setTimer(timeoutMs, () => resolve('unknown'));
        }),
      listen: async (handlers) => {
        own = handlers;
        this.#listeners.set(id, handlers);
        return `memory:${id}`;
      },
      close: async () => {
        if (own !== undefined && this.#listeners.get(id) === own) this.#listeners.delete(id);
        own = undefined;
      },
    };
  }
}
