import type { NodeId } from '@holdfast/model';
import type { ControlStatus, UnitInfo } from './control-status.ts';
import type { QueryAnswer } from './shard-queries.ts';

/** A row per node, reachable or not. */
export type NodeStatusRow =
  | { readonly nodeId: NodeId; readonly reachable: true; readonly status: ControlStatus }
  | { readonly nodeId: NodeId; readonly reachable: false; readonly error: string };

export interface UserQueryAnswer {
  /** Null: nobody holds the user's unit. */
  readonly holder: UnitInfo | null;
  /** What the holder says; null when there is none. */
  readonly answer: QueryAnswer | null;
}
