import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { UnitMap } from './unit-map.ts';

test('holds what a plain map holds, through any sequence of changes', () => {
  // Few distinct halves, so that probes collide and deletions leave holes in the middle of runs.
  const half = fc.oneof(fc.integer({ min: 0, max: 20 }), fc.constantFrom(0xffffffff, 0x80000000, 16, 32));
  const step = fc.record({
    hi: half,
    lo: fc.integer({ min: 0, max: 3 }),
    remove: fc.boolean(),
    slot: fc.nat(0x7ffffffe),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
      const map = new UnitMap(4);
      const twin = new Map<string, number>();
      for (const { hi, lo, remove, slot } of steps) {
        const key = `${hi}/${lo}`;
        if (remove) assert.equal(map.delete(hi, lo), twin.delete(key));
        else {
          map.set(hi, lo, slot);
          twin.set(key, slot);
        }
        assert.equal(map.size, twin.size);
        assert.equal(map.get(hi, lo), twin.get(key) ?? -1);
      }
      for (const [key, slot] of twin) {
        const [hi, lo] = key.split('/').map(Number);
        assert.equal(map.get(hi!, lo!), slot);
      }
    }),
    { numRuns: 500 },
  );
});
