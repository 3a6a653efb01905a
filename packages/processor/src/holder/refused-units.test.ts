import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RefusedUnits } from './refused-units.ts';
import { Scene, unitOf } from './test-scene.test.ts';

test('each unit has the number of its last refusal, whatever the numbers are, until all are forgotten', () => {
  const step = fc.record({ units: fc.array(fc.nat(5), { maxLength: 4 }), clears: fc.boolean() });
  fc.assert(
    fc.property(fc.constantFrom(0, 2 ** 31 - 3, 2 ** 40), fc.array(step), (from, steps) => {
      const refused = new RefusedUnits();
      const model = new Map<number, number>();
      for (const [n, { units, clears }] of steps.entries()) {
        if (clears) {
          refused.clear();
          model.clear();
        }
        for (const unit of units) {
          refused.refuse(unit, 7, from + n + 1);
          model.set(unit, from + n + 1);
        }
        assert.equal(refused.size, model.size);
        for (let unit = 0; unit <= 5; unit++) assert.equal(refused.last(unit, 7), model.get(unit) ?? 0);
      }
    }),
  );
});

test('the 2^31st refusal of a stream is one like any other', () => {
  const scene = new Scene();
  const { stream } = scene;
  stream.refusals = 2 ** 31 - 2;
  scene.refusalSeen = 2 ** 31 - 2;
  scene.isOver = true;
  scene.send(0, [
    ['a', 'x'],
    ['a', 'y'],
    ['b', 'x'],
  ]);
  const units = (...users: string[]) => Uint32Array.from(users.flatMap((user) => Object.values(unitOf(user))));
  const refused = { kind: 'refused', frame: 1, tableIndex: 10, number: 2 ** 31 - 1, units: units('a', 'b') };
  assert.deepEqual(stream.returns.splice(0), [refused, { kind: 'applied', frame: 1 }]);
  // It holds the unit again, but this was sent before the sender saw the refusal.
  scene.isOver = false;
  scene.send(2, [['a', 'z']]);
  assert.deepEqual([stream.refusals, scene.holder.claimsQueued], [2 ** 31, 1]);
  scene.refusalSeen = 2 ** 31;
  scene.send(2, [['a', 'z']]);
  scene.open();
  assert.deepEqual([stream.refusals, stream.settled, scene.counters.recordsApplied], [2 ** 31, 3, 1]);
});

test('what waits for a claim when the 2^31st refusal comes of it is refused like any other', () => {
  const scene = new Scene();
  const { stream } = scene;
  scene.refusalSeen = 2 ** 31 - 2;
  stream.refusals = 2 ** 31 - 2;
  scene.send(0, [['a', 'x']]);
  scene.takeAway('a', 10);
  assert.deepEqual([stream.refusals, stream.settled], [2 ** 31 - 1, 1]);
});
