import { type TopicId, topicId } from '@holdfast/model';

/** What a committed offset carries as its metadata: shown by Kafka's own tools, and so a readable text. */
export interface CommitMetadata {
  /** The store's generation, for which the offset vouches (PROTOCOL.md 3.1). Null: none that can be known by it. */
  readonly generationId: string | null;
  /** Epoch of the partition's lease. */
  readonly fence: number;
  readonly topicId: TopicId;
}

const pattern = /^holdfast\/(1|2) generation=(\S+) fence=(\d+) topic=([\w-]+)$/;

/** An id is of letters, digits and `-`, and stands as it is; whatever else one had is escaped. */
export function encodeCommitMetadata({
  generationId,
  fence,
  topicId,
}: CommitMetadata & { readonly generationId: string }): string {
  return `holdfast/2 generation=${encodeURIComponent(generationId)} fence=${fence} topic=${topicId}`;
}

/** Version 1 named the generation by its number, of which every cluster has one. Null: somebody else's. */
export function decodeCommitMetadata(text: string): CommitMetadata | null {
  const match = pattern.exec(text);
  if (match === null) return null;
  const [, version, generation, fence, topic] = match;
  const generationId = version === '1' ? null : unescaped(generation!);
  return { generationId, fence: Number(fence), topicId: topicId(topic!) };
}

function unescaped(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}
