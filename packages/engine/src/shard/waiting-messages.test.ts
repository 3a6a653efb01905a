import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ToShard } from '../shard-messages.ts';
import { WaitingMessages } from './waiting-messages.ts';

const table = (): ToShard => ({ kind: 'table', buffer: new SharedArrayBuffer(16) });
const session: ToShard = { kind: 'session', session: 7, proof: new SharedArrayBuffer(8) };
const partitions: ToShard = { kind: 'partitions', partitions: [] };
const directory = (nodeId: string): ToShard => {
  return { kind: 'directory', sessions: [{ session: 7, nodeId, closing: false, shardAddresses: [] }] };
};
const generation = (number: number): ToShard => ({ kind: 'generation', number, generationId: 'g', index: number });
const unitOf = (index: number) => ({ hi: index % 10, lo: 1 });
/** One more unit, and one less. */
const quarantine = (index: number): ToShard => {
  const changed = [{ ...unitOf(index), before: null }];
  return { kind: 'quarantine', changed, gone: [unitOf(index - 1)], index };
};

test('of what says how things are the last is kept, in the order that a shard needs, whatever came in which', () => {
  const waiting = new WaitingMessages();
  const last = table();
  const news = [
    partitions,
    { kind: 'advanced' },
    session,
    directory('a'),
    quarantine(1),
    generation(1),
    table(),
  ] as const;
  for (const message of news) waiting.add(message);
  for (const message of [{ kind: 'stop' }, last, generation(2), directory('b'), quarantine(2)] as const)
    waiting.add(message);
  const order = [last, generation(2), { ...quarantine(2), gone: [] }, directory('b'), session, partitions];
  assert.deepEqual(waiting.take(), [...order, { kind: 'advanced' }, { kind: 'stop' }]);
  assert.deepEqual([waiting.take(), waiting.count], [[], 0]);
});

test('days of a control plane that goes on leave one message of a kind', () => {
  const waiting = new WaitingMessages();
  for (let n = 0; n < 10_000; n++)
    for (const message of [
      table(),
      generation(n),
      { kind: 'advanced' },
      quarantine(n),
      directory('a'),
      partitions,
    ] as const)
      assert.equal(waiting.add(message), null);
  assert.equal(waiting.count, 6);
});

test('a shard that holds nothing yet is asked for no user and ordered to give none away', () => {
  const waiting = new WaitingMessages();
  const answer = waiting.add({ kind: 'query', id: 3, key: new Uint8Array(1) });
  assert.deepEqual(answer, { kind: 'answer', id: 3, user: null });
  const orders: ToShard[] = [
    { kind: 'makeRoom', units: 5 },
    { kind: 'handOver', plan: [{ session: 7, shard: 0, count: 1 }] },
    { kind: 'moveUnit', hi: 1, lo: 1, session: 7, shard: 0 },
  ];
  for (const order of orders) assert.equal(waiting.add(order), null);
  assert.deepEqual(waiting.take(), []);
});

test('of quarantine the sum of what has changed is kept', () => {
  const waiting = new WaitingMessages();
  for (let index = 1; index <= 10_000; index++) waiting.add(quarantine(index));
  const changed = [{ ...unitOf(10_000), before: null }];
  assert.deepEqual(waiting.take(), [{ kind: 'quarantine', changed, gone: [], index: 10_000 }]);
});
