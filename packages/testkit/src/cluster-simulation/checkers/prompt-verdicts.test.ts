import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LeaseRecord } from '@holdfast/lease';
import { nodeId } from '@holdfast/model';
import { watched } from '../../simulation/checkers/test-watch.test.ts';
import { QuarantineTruth } from './quarantine-truth.ts';
import { history, partition } from './test-history.test.ts';

const opened = (node: string, uuid = `folder of ${node}`): LeaseRecord => ({
  kind: 'sessionOpened',
  ...{ nodeId: nodeId(node), uuid, counter: 2, shards: 1, addresses: ['a', 'b'], version: '1' },
});

function scene() {
  const { report, saw, sawNothing } = watched();
  const { ledger, user, users } = history();
  const checker = new QuarantineTruth(report, ledger);
  const entry = (...records: readonly LeaseRecord[]): void => {
    for (const record of records) checker.onRecord(record);
    checker.afterEntry(records);
  };
  for (const node of ['n1', 'n2', 'n3']) {
    entry(opened(node));
    checker.onDeath(user.unitKey, '0/1', 3, { node, counter: 1 });
  }
  const at = (node: string, offset: number, { unit } = user): LeaseRecord => ({
    kind: 'unitCrashed',
    ...{ ...unit, ...partition, offset, nodeId: nodeId(node), counter: 1 },
  });
  return { checker, entry, at, saw, sawNothing, other: users.find(({ unitKey }) => unitKey !== user.unitKey)!, user };
}

test('6.3: a verdict comes before the next session of the node that told', () => {
  const { checker, entry, at, saw, sawNothing, user } = scene();
  entry(at('n1', 1));
  entry(opened('n1'));
  entry(at('n2', 1));
  entry(opened('n1'));
  sawNothing();
  entry(opened('n2'));
  saw('6.3');
  entry(at('n3', 1));
  entry({ kind: 'unitQuarantined', ...user.unit });
  entry(opened('n3'));
  sawNothing();
  assert.equal(checker.promptVerdicts, 1);
});

test('6.3: where it may be unclear whose end it was, and to a folder that told nothing, no verdict is owed', () => {
  const frame = (node: string): LeaseRecord => ({
    kind: 'frameCrashed',
    ...{ ...partition, first: 5, last: 9, nodeId: nodeId(node), counter: 1 },
  });
  for (const beside of ['another user', 'a frame', 'another folder', 'no second node'] as const) {
    const { entry, at, other, sawNothing } = scene();
    const besides = beside === 'another user' ? [at('n2', 2, other)] : beside === 'a frame' ? [frame('n2')] : [];
    entry(at('n1', 1));
    entry(at(beside === 'no second node' ? 'n1' : 'n2', 1), ...besides);
    entry(opened('n1'));
    entry(opened('n2', beside === 'another folder' ? 'a new one' : undefined));
    sawNothing();
  }
});
