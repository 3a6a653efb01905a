import type { FromShard, ToShard } from '../shard-messages.ts';
import { ToldQuarantine } from './told-quarantine.ts';

/**
 * In the order in which a shard needs them: the table first, then what it shows, then the session that counts on both, then
 * what is read under it; the word that the table has moved, and the end, come last.
 */
const keptKinds = [
  'table',
  'generation',
  'quarantine',
  'directory',
  'session',
  'partitions',
  'advanced',
  'stop',
] as const satisfies readonly ToShard['kind'][];

type KeptKind = (typeof keptKinds)[number];

/**
 * Messages to a shard that can't take them yet, since its log or its store isn't there: the control plane goes on meanwhile,
 * for days perhaps. Of what says how things are, the last is enough, or the sum of what has changed; orders are void, since such a shard holds nothing.
 */
export class WaitingMessages {
  readonly #last = new Map<KeptKind, ToShard>();
  readonly #quarantine = new ToldQuarantine();

  /** How many are kept: one of a kind at most. */
  get count(): number {
    return this.#last.size;
  }

  /** @returns what is to be answered at once, else null */
  add(message: ToShard): FromShard | null {
    switch (message.kind) {
      case 'query':
        return { kind: 'answer', id: message.id, user: null };
      case 'makeRoom':
      case 'handOver':
      case 'moveUnit':
      case 'caughtUp':
        return null;
      case 'quarantine':
        this.#quarantine.add(message);
        this.#last.set('quarantine', this.#quarantine.news);
        return null;
      default:
        this.#last.set(message.kind, message);
        return null;
    }
  }

  /** All that is kept, for the shard to receive in this order. It is kept no more. */
  take(): ToShard[] {
    const messages = keptKinds.flatMap((kind) => this.#last.get(kind) ?? []);
    this.#last.clear();
    return messages;
  }
}
