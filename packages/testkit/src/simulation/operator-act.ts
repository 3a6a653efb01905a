import type { AdminRequest, LeaderReply } from '@holdfast/engine';
import type { SimulatedNode } from './simulated-node.ts';

const answerMsMax = 3_000;

interface Place {
  readonly nodeId: string;
  readonly shard: number;
}

/**
 * An operator asks the leader for something, at this node.
 * @param onDone the leader has done it; not called when it refuses, doesn't answer, or has nothing to do
 */
export function operatorAct({ control }: SimulatedNode, request: AdminRequest, onDone: () => void): void {
  control!.admin(request, answerMsMax).then(
    (answer) => {
      if (answer.code === 'OK' && !isWhereItWas(answer)) onDone();
    },
    () => {},
  );
}

/** A unit was to be moved to where it is. */
function isWhereItWas(answer: LeaderReply<{ readonly from?: Place; readonly to?: Place }>): boolean {
  if (answer.code !== 'OK' || answer.from === undefined) return false;
  return answer.from.nodeId === answer.to?.nodeId && answer.from.shard === answer.to.shard;
}
