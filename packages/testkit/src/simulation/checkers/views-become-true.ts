import type { NodeId } from '@holdfast/model';
import type { GossipHint } from '../simulated-gossip.ts';

/** I20: without faults all views become the truth. Does the view show who lives, where, and who doesn't? */
export function isTrueView(
  of: NodeId,
  view: ReadonlyMap<NodeId, Readonly<GossipHint>>,
  truth: ReadonlyMap<NodeId, string | null>,
): boolean {
  return [...truth].every(([id, address]) => {
    if (id === of) return true;
    const hint = view.get(id);
    return address === null ? hint?.state !== 'alive' : hint?.state === 'alive' && hint.address === address;
  });
}
