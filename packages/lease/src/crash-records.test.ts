import { type NodeId, topicId } from '@holdfast/model';
import type { FrameCrashed, UnitCrashed } from './records.ts';

export const topic = topicId('in');

export function crashOf(node: number, offset: number, more: Partial<UnitCrashed> = {}): UnitCrashed {
  const position = { topicId: topic, partition: 0, offset };
  return { kind: 'unitCrashed', hi: offset, lo: 1, ...position, nodeId: `n${node}` as NodeId, counter: 1, ...more };
}

/** Of a shard that was at one of these records, and hadn't noted which. */
export function frameOf(node: number, first: number, last: number, more: Partial<FrameCrashed> = {}): FrameCrashed {
  const range = { topicId: topic, partition: 0, first, last };
  return { kind: 'frameCrashed', ...range, nodeId: `n${node}` as NodeId, counter: 1, ...more };
}
