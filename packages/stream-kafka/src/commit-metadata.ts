import { type TopicId, topicId } from '@holdfast/model';

/** What a committed offset carries as its metadata: shown by Kafka's own tools, and so a readable text. */
export interface CommitMetadata {
  /** The store's generation, for which the offset vouches (PROTOCOL.md 3.1). */
  readonly generation: number;
  /** Epoch of the partition's lease. */
  readonly fence: number;
  readonly topicId: TopicId;
}

const pattern = /^holdfast\/1 generation=(\d+) fence=(\d+) topic=([\w-]+)$/;

export function encodeCommitMetadata({ generation, fence, topicId }: CommitMetadata): string {
  return `holdfast/1 generation=${generation} fence=${fence} topic=${topicId}`;
}

/** Null: somebody else's. */
export function decodeCommitMetadata(text: string): CommitMetadata | null {
  const match = pattern.exec(text);
  if (match === null) return null;
  return { generation: Number(match[1]), fence: Number(match[2]), topicId: topicId(match[3]!) };
}
