import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memberStates } from '@holdfast/membership';
import { nodeId } from '@holdfast/model';
import { isHolderUnreachable } from './unreachable-holder.ts';

const [n1, n2] = ['n1', 'n2'].map(nodeId) as [ReturnType<typeof nodeId>, ReturnType<typeof nodeId>];

test('a suspect or dead node that has a session is unreachable; one without holds nothing, one that left says so', () => {
  const unreachable = (holders: (typeof n1)[]) =>
    memberStates.filter((state) =>
      isHolderUnreachable(
        [
          { id: n1, state: 'alive' },
          { id: n2, state },
        ],
        holders.map((id) => ({ nodeId: id })),
      ),
    );
  assert.deepEqual(unreachable([n1, n2]), ['suspect', 'dead']);
  assert.deepEqual(unreachable([n1]), []);
});
