import type { Producer } from 'kafkajs';
import { KafkaError } from '../errors.ts';

interface Life {
  readonly connecting: Promise<Producer>;
  sends: number;
  /** Nobody begins a send with it any more. */
  isOver: boolean;
}

/**
 * kafkajs's producer, for all partitions, until a send fails. kafkajs takes the sequence numbers of a send that failed
 * for the next one to the partition; where the first is in the log all the same, brokers take the next for its repeat,
 * and acknowledge what they never write. That goes for any failure: kafkajs tries again by itself and tells of the last
 * try alone; a batch that was too large for that one may be there by an earlier one. So who follows a failure has
 * another producer, whose numbers are its own; sends that are under way with the old one end with it, and their
 * partitions' next ones are with the new one too.
 */
export class CurrentProducer {
  readonly #create: () => Producer;
  readonly #lives = new Set<Life>();
  #current: Life | null = null;
  #closed = false;

  constructor(create: () => Producer) {
    this.#create = create;
  }

  async use<T>(send: (producer: Producer) => Promise<T>): Promise<T> {
    if (this.#closed) throw new KafkaError('CLOSED', 'the log is closed');
    const life = (this.#current ??= this.#begin());
    life.sends++;
    try {
      return await send(await life.connecting);
    } catch (error) {
      // Before the caller hears of it: what he begins then is not to find this one.
      this.#leave(life);
      throw error;
    } finally {
      life.sends--;
      if (life.isOver && life.sends === 0) void this.#end(life);
    }
  }

  /** Whatever is under way fails. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#lives].map((life) => this.#end(life)));
  }

  #begin(): Life {
    const producer = this.#create();
    const connecting = producer.connect().then(
      () => producer,
      // It may have connected, and failed at what comes then.
      async (error) => {
        await producer.disconnect().catch(() => undefined);
        throw error;
      },
    );
    const life = { connecting, sends: 0, isOver: false };
    this.#lives.add(life);
    return life;
  }

  #leave(life: Life): void {
    life.isOver = true;
    if (this.#current === life) this.#current = null;
  }

  async #end(life: Life): Promise<void> {
    this.#lives.delete(life);
    const producer = await life.connecting.catch(() => null);
    await producer?.disconnect().catch(() => undefined);
  }
}
