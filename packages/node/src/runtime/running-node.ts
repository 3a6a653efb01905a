import type { FolderErrorCode } from '@holdfast/embedded';
import type { NodeId } from '@holdfast/model';

/**
 * How a node ended: `drained` says that everything it held is backed up and committed; `stuck`, that a thread or a file of
 * it can't be ended: `process.exit` may wait for it for ever, and only a kill ends the process.
 */
export type NodeEnd = { readonly stuck: boolean } & (
  | { readonly kind: 'stopped'; readonly clean: boolean; readonly drained: boolean }
  | { readonly kind: 'failed'; readonly error: Error }
);

export interface RunningNode {
  readonly nodeId: NodeId;
  /** Where its control service listens. */
  readonly address: string;
  /** Drains and ends; a second call ends at once. */
  stop(): void;
  /** Ends as a failure, soon, and saves nothing: something that nobody foresaw went wrong in its process. */
  fail(error: unknown): void;
  readonly ended: Promise<NodeEnd>;
}

/** A node can't start on this folder; the text is one line for its operator. */
export class NodeStartError extends Error {
  override readonly name = 'NodeStartError';
  readonly code: FolderErrorCode;
  constructor(code: FolderErrorCode, text: string) {
    super(text);
    this.code = code;
  }
}
