import { ControlPlaneError } from '@holdfast/engine';
import type { NodeId } from '@holdfast/model';

/** A node can't go on under its name; the text says what its operator can do. Match on `code`. */
export class NodeEndError extends Error {
  override readonly name = 'NodeEndError';
  readonly code: keyof typeof texts;
  constructor(code: keyof typeof texts, text: string, cause: unknown) {
    super(text, { cause });
    this.code = code;
  }
}

const texts = {
  NODE_ID_TAKEN: (id: NodeId, dir: string) =>
    `the cluster knows node ${id} with another data folder, so ${dir} is refused. Where that folder is lost: ` +
    `holdfast node rm ${id}, then start this node again. Where it is in use: give this node another node.id`,
  REMOVED: (id: NodeId, dir: string) =>
    `node ${id} was removed from the cluster, and ${dir} is of its time before. To join anew, start it on a fresh data ` +
    `folder: move ${dir} away, and start again`,
  SUPERSEDED: (id: NodeId, dir: string) =>
    `another process has started as node ${id} on ${dir} or a copy of it; only the latest goes on`,
} as const;

/** What ended a node, as its operator needs it. `dir` is the node's own folder. */
export function nodeEndError(error: unknown, nodeId: NodeId, dir: string): unknown {
  if (!(error instanceof ControlPlaneError) || error.code === 'SHARD_FAILED') return error;
  return new NodeEndError(error.code, texts[error.code](nodeId, dir), error);
}
