import type { Cluster } from '../../test/cluster/support/cluster.ts';
import { inputTopic } from '../../test/cluster/support/cluster.ts';
import { type Applied, markersTopic } from './marker-job.ts';

const text = new TextEncoder();
const outputPartitions = 2;

/** Feeds numbered records of users and hears from the holders when each was applied first. */
export class MarkedUsers {
  readonly #cluster: Cluster;
  readonly #partitions: number;
  readonly #readers: { close(): Promise<void> }[] = [];
  readonly #loops: Promise<void>[] = [];
  /** By `user number`: the first time that it was applied. */
  readonly #applied = new Map<string, Applied>();
  readonly #holders = new Map<string, Applied>();
  #isClosed = false;
  #next = 0;

  private constructor(cluster: Cluster, partitions: number) {
    this.#cluster = cluster;
    this.#partitions = partitions;
  }

  static async begin(cluster: Cluster, partitions: number): Promise<MarkedUsers> {
    const users = new MarkedUsers(cluster, partitions);
    const { topicId } = await cluster.log.createTopic(markersTopic, outputPartitions);
    for (let partition = 0; partition < outputPartitions; partition++) {
      const reader = await cluster.log.openReader(markersTopic, { topicId, partition }, 0);
      users.#readers.push(reader);
      users.#loops.push(users.#listen(reader));
    }
    return users;
  }

  /** Who has applied the user's latest record, as far as is known. */
  holderOf(user: string): Applied | undefined {
    return this.#holders.get(user);
  }

  /** When the record was applied first; undefined while it wasn't. */
  appliedAs(user: string, number: number): Applied | undefined {
    return this.#applied.get(`${user} ${number}`);
  }

  /** Appends one record for each user, always in the user's partition. @returns its number */
  async mark(users: readonly string[]): Promise<number> {
    const number = ++this.#next;
    const values: Uint8Array[][] = Array.from({ length: this.#partitions }, () => []);
    for (const [i, user] of users.entries()) values[i % this.#partitions]!.push(text.encode(`${user} ${number}`));
    const appends = values.map((lines, partition) => {
      const records = lines.map((value) => ({ key: null, value }));
      return lines.length === 0 ? null : this.#cluster.log.append(inputTopic, partition, records);
    });
    await Promise.all(appends);
    return number;
  }

  isApplied(users: readonly string[], number: number): boolean {
    return users.every((user) => this.#applied.has(`${user} ${number}`));
  }

  /** What is known of earlier rounds' users isn't asked for again. */
  forget(): void {
    this.#applied.clear();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all(this.#readers.map((reader) => reader.close()));
    await Promise.all(this.#loops);
  }

  async #listen(reader: Awaited<ReturnType<Cluster['log']['openReader']>>): Promise<void> {
    while (!this.#isClosed) {
      const batch = await reader.next(1 << 20, 100);
      if (batch === null) continue;
      for (let i = 0; i < batch.count; i++) {
        const value = batch.bytes.subarray(batch.valueStarts[i]!, batch.valueEnds[i]!);
        const applied = JSON.parse(Buffer.from(value).toString()) as Applied;
        const key = `${applied.user} ${applied.number}`;
        // A record that is read again after a crash was applied when it was applied first.
        if (!this.#applied.has(key)) this.#applied.set(key, applied);
        if (applied.number >= (this.#holders.get(applied.user)?.number ?? 0)) this.#holders.set(applied.user, applied);
      }
    }
  }
}
