import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareBytes } from '@holdfast/model';
import fc from 'fast-check';
import { PackedUsers } from './packed-users.ts';

test('each user is found again at its place, and places compare as the keys do', () => {
  const half = fc.integer({ min: 0, max: 2 ** 32 - 1 });
  const unit = fc.record({ hi: half, lo: half }, { noNullPrototype: true });
  const user = fc.record({ key: fc.uint8Array({ maxLength: 90 }), unit }, { noNullPrototype: true });
  fc.assert(
    fc.property(fc.array(user), (users) => {
      // Some keys are larger than a chunk.
      const packed = new PackedUsers(64);
      const places = users.map(({ key, unit }) => packed.add(key, unit));
      const found = places.map((place) => ({ key: Uint8Array.from(packed.key(place)), unit: packed.unit(place) }));
      assert.deepEqual(found, users);
      for (let i = 1; i < users.length; i++) {
        const wanted = compareBytes(users[i - 1]!.key, users[i]!.key);
        assert.equal(Math.sign(packed.compare(places[i - 1]!, places[i]!)), Math.sign(wanted));
      }
    }),
  );
});
