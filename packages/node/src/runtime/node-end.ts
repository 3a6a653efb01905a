import type { NodeFolder } from '@holdfast/embedded';
import { ControlPlaneError, RaftStorageError } from '@holdfast/engine';
import type { NodeId } from '@holdfast/model';

/** A node can't go on under its name; the text says what its operator can do. Match on `code`. */
export class NodeEndError extends Error {
  override readonly name = 'NodeEndError';
  readonly code: NodeEndCode;
  constructor(code: NodeEndCode, text: string, cause: unknown) {
    super(text, { cause });
    this.code = code;
  }
}

type NodeEndCode = keyof typeof texts | 'RAFT_DAMAGED' | 'PORT_IN_USE';

const texts = {
  NODE_ID_TAKEN: (id: NodeId, dir: string) =>
    `the cluster knows node ${id} with another data folder, so ${dir} is refused. Where that folder is lost: ` +
    `holdfast node rm ${id}, then start this node again. Where it is in use: give this node another node.id`,
  REMOVED: (id: NodeId, dir: string) =>
    `node ${id} was removed from the cluster, and ${dir} is of its time before. To join anew, start it on a fresh data ` +
    `folder: move ${dir} away, and start again`,
  SUPERSEDED: (id: NodeId, dir: string) =>
    `another process has started as node ${id} on ${dir} or a copy of it; only the latest start goes on, and of copies ` +
    `with as many starts the one that has the session. A copy needs another node.id, and a fresh data folder`,
} as const;

/** What ended a node, or kept it from starting, as its operator needs it. `folder` is the node's own. */
export function nodeEndError(
  error: unknown,
  nodeId: NodeId,
  { dir, raftPath }: Pick<NodeFolder, 'dir' | 'raftPath'>,
): unknown {
  if (error instanceof RaftStorageError && error.code === 'CORRUPT') {
    return new NodeEndError('RAFT_DAMAGED', damagedText(error.message, nodeId, raftPath), error);
  }
  if (!(error instanceof ControlPlaneError) || error.code === 'SHARD_FAILED') return error;
  return new NodeEndError(error.code, texts[error.code](nodeId, dir), error);
}

/** A shard was to listen where another program does. */
export function shardPortError(address: string, cause: unknown): NodeEndError {
  const text = `${address} (listen.shards) is in use by another process; give another address or stop it`;
  return new NodeEndError('PORT_IN_USE', text, cause);
}

/** With a log that lacks something it would vote as somebody who has forgotten its votes (docs/adr/0011). */
function damagedText(problem: string, id: NodeId, raftPath: string): string {
  return (
    `node ${id} can't start on its Raft log, since what it voted and acknowledged isn't known any more: ${problem}. ` +
    `While the other voters are a majority: move ${raftPath} away, and start this node again; it joins as a learner ` +
    `and gets the log from them. Records and users aren't in that folder`
  );
}
