import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { crashOf, frameOf } from './crash-records.test.ts';
import { unitsDue } from './quarantine-rule.ts';
import type { ProcessCrash } from './records.ts';

const dueOf = (crashes: readonly ProcessCrash[], nodes: number) => unitsDue(crashes, nodes, 99).map(({ hi }) => hi);

test('two nodes that end at one record are enough below nine nodes, a quarter of them from then on', () => {
  const crashes = Array.from({ length: 30 }, (_, n) => crashOf(n, 7));
  for (let nodes = 2; nodes <= 40; nodes++) {
    const least = crashes.findIndex((_, n) => dueOf(crashes.slice(0, n), nodes).length > 0);
    assert.equal(least, Math.max(2, Math.ceil(nodes / 4)), `${nodes} nodes`);
  }
});

test('one node is enough where there is no other, with two crashes; else it takes six of one node', () => {
  const again = (count: number) => Array.from({ length: count }, (_, n) => crashOf(1, 7, { counter: n }));
  assert.deepEqual([dueOf(again(1), 1), dueOf(again(2), 1)], [[], [7]]);
  assert.deepEqual([dueOf(again(5), 3), dueOf(again(6), 3)], [[], [7]]);
});

test('processes that end at other records of a unit never bring it into quarantine, whatever their number', () => {
  const crash = fc.record({ node: fc.nat(9), partition: fc.nat(4), offset: fc.nat(10_000) });
  const distinct = fc.uniqueArray(crash, { selector: ({ partition, offset }) => `${partition}/${offset}` });
  fc.assert(
    fc.property(distinct, fc.integer({ min: 2, max: 12 }), (list, nodes) => {
      const crashes = list.map(({ node, partition, offset }) => crashOf(node, offset, { hi: 1, partition }));
      assert.deepEqual(dueOf(crashes, nodes), []);
    }),
  );
});

test('of what the shards of a process were at, that counts which more processes ended at', () => {
  const innocent = (node: number) => crashOf(node, 9);
  const both = [crashOf(1, 7), innocent(1), crashOf(2, 7), innocent(2)];
  assert.deepEqual(dueOf(both, 3), [], 'who of the two?');
  assert.deepEqual(dueOf([...both, crashOf(3, 7)], 3), [7]);
  const another = [crashOf(1, 8, { counter: 2 }), crashOf(3, 8)];
  assert.deepEqual(dueOf([...both, crashOf(2, 7, { counter: 2 }), ...another], 3), [7, 8], 'each for its own ends');
  const alwaysTogether = [1, 2, 3].flatMap((counter) =>
    [1, 2].flatMap((node) => [crashOf(node, 7, { counter }), crashOf(node, 9, { counter })]),
  );
  assert.deepEqual(dueOf(alwaysTogether, 3), [7], 'rather one too many than a crash for ever');
});

test('what lies in the frame of another shard may be the cause: nobody is taken for it before that is clear', () => {
  const innocent = [crashOf(1, 9), crashOf(2, 9)];
  assert.deepEqual(dueOf([...innocent, frameOf(1, 0, 5), crashOf(2, 3)], 3), [], 'named once, and in a frame');
  assert.deepEqual(dueOf([...innocent, frameOf(1, 0, 5), frameOf(2, 3, 8)], 3), [], 'in frames alone');
  assert.deepEqual(dueOf([...innocent, frameOf(1, 0, 2), frameOf(2, 3, 8)], 3), [9], 'no record lies in both');
  assert.deepEqual(dueOf([frameOf(1, 0, 5), frameOf(2, 0, 5), frameOf(3, 0, 5)], 3), [], 'nobody is named');
  const deadly = [crashOf(2, 3), crashOf(3, 3)];
  assert.deepEqual(dueOf([...innocent, frameOf(1, 0, 5), ...deadly], 3), [3]);
  const other = frameOf(1, 0, 5, { partition: 1 });
  assert.deepEqual(dueOf([...innocent, other, ...deadly], 3), [], 'who of the two?');
});

test('to lie in the frame of a shard is no proof: it makes nobody stand out', () => {
  const tied = [1, 2].flatMap((node) => [crashOf(node, 7), crashOf(node, 9, { partition: 1 })]);
  assert.deepEqual(dueOf(tied, 5), []);
  assert.deepEqual(dueOf([...tied, frameOf(3, 0, 260), frameOf(4, 0, 260)], 5), []);
  assert.deepEqual(dueOf([...tied, frameOf(3, 0, 260), crashOf(4, 7)], 5), [7]);
});

test('there may be room for fewer than are due', () => {
  const crashes = [7, 8, 9].flatMap((offset) => [
    crashOf(1, offset, { counter: offset }),
    crashOf(2, offset, { counter: offset }),
  ]);
  assert.deepEqual(
    [unitsDue(crashes, 3, 0), unitsDue(crashes, 3, 2).length, unitsDue(crashes, 3, 9).length],
    [[], 2, 3],
  );
});

test('whatever else the shards were at: where one record ends all processes, it is the first that comes into quarantine', () => {
  const deadly = 10;
  const offset = fc.integer({ min: 0, max: 20 });
  const note = fc.oneof(
    fc.record({ first: offset, length: fc.integer({ min: 1, max: 8 }), partition: fc.nat(1) }),
    fc.record({ at: offset, partition: fc.nat(1) }),
  );
  // Of three ends one is another's, which left its frame.
  const cause = fc.constantFrom('named', 'in a frame', 'another');
  const end = fc.record({ node: fc.nat(3), cause, others: fc.array(note, { maxLength: 3 }) });
  fc.assert(
    fc.property(fc.array(end, { maxLength: 12 }), (ends) => {
      const crashes: ProcessCrash[] = [];
      let due: number[] = [];
      for (const [counter, { node, cause, others }] of ends.entries()) {
        if (cause === 'named') crashes.push(crashOf(node, deadly, { counter }));
        else if (cause === 'in a frame') crashes.push(frameOf(node, 8, 12, { counter }));
        for (const { partition, ...other } of others) {
          if ('at' in other && cause === 'another') continue;
          if ('at' in other && (partition !== 0 || other.at !== deadly))
            crashes.push(crashOf(node, other.at, { counter, partition, hi: 100 + other.at + 50 * partition }));
          else if ('first' in other)
            crashes.push(frameOf(node, other.first, other.first + other.length, { counter, partition }));
        }
        due = dueOf(crashes, 4);
        if (due.length > 0) break;
      }
      // Six ends at one record count whatever is beside it.
      const named = crashes.filter((crash) => crash.kind === 'unitCrashed').filter(({ hi }) => hi === due[0]);
      assert.ok(due.length === 0 || (due.length === 1 && due[0] === deadly) || named.length >= 6, String(due));
    }),
    { numRuns: 2_000 },
  );
});
