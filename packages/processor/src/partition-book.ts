import { type PartitionId, partitionKey } from '@holdfast/model';

/** Small integers for partitions, so that vectors and watermarks are arrays. Slots are never reused within a shard's life. */
export class PartitionBook {
  readonly ids: PartitionId[] = [];
  readonly #slots = new Map<string, number>();
  #lastId: PartitionId | null = null;
  #lastSlot = -1;

  /** The slot of a partition, made when it is new. Asking for the same object again costs a comparison. */
  slot(id: PartitionId): number {
    if (id === this.#lastId) return this.#lastSlot;
    const key = partitionKey(id);
    let slot = this.#slots.get(key);
    if (slot === undefined) {
      slot = this.ids.length;
      this.ids.push(id);
      this.#slots.set(key, slot);
    }
    this.#lastId = id;
    this.#lastSlot = slot;
    return slot;
  }
}
