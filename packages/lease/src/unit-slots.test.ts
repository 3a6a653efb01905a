import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Rng, randomBelow, SeededRng } from '@holdfast/model';
import fc from 'fast-check';
import { randomUnit } from './random-records.test.ts';
import { LeaseTableReader } from './table-reader.ts';
import { UnitSlots } from './unit-slots.ts';

/** What the slots should hold: unit -> session, shard, index of the grant. */
type Twin = Map<string, { hi: number; lo: number; lease: string; session: number }>;

function check(slots: UnitSlots, twin: Twin, rng: Rng): void {
  assert.equal(slots.unitCount, twin.size);
  const seen = new Map<string, string>();
  slots.visit((hi, lo, session, shard, index) => seen.set(`${hi}:${lo}`, `${session}/${shard}@${index}`));
  assert.deepEqual([...seen].sort(), [...twin].map(([unit, { lease }]) => [unit, lease]).sort());
  const reader = new LeaseTableReader(slots.buffer);
  for (let i = 0; i < 20; i++) {
    const [hi, lo] = randomUnit(rng, 3_000);
    const expected = twin.get(`${hi}:${lo}`)?.lease ?? null;
    const found = reader.lookup(hi, lo) ? `${reader.session}/${reader.shard}@${reader.epoch}` : null;
    assert.equal(found, expected);
  }
}

/** Grants, moves, releases, sessions that come and go, in buffers that are all replaced in slices. */
function run(seed: number, steps: number): { buffers: number; sliced: number } {
  const rng = new SeededRng(seed);
  let buffers = 0;
  let sliced = 0;
  const slots = new UnitSlots(() => buffers++, 0, 0, 1);
  const twin: Twin = new Map();
  const sessions: number[] = [];
  let nextSession = 1;
  for (let index = 1; index <= steps; index++) {
    if (sessions.length === 0 || randomBelow(rng, 25) === 0) {
      slots.addSession(nextSession, 1 + randomBelow(rng, 4));
      sessions.push(nextSession++);
    }
    const session = sessions[randomBelow(rng, sessions.length)]!;
    const dice = randomBelow(rng, 100);
    if (dice < 3) {
      slots.endSession(session);
      sessions.splice(sessions.indexOf(session), 1);
      for (const [unit, lease] of twin) if (lease.session === session) twin.delete(unit);
    } else if (dice < 70) {
      const count = randomBelow(rng, 150);
      slots.reserve(count);
      const holder = slots.holderOf(session, 0);
      for (let i = 0; i < count; i++) {
        const [hi, lo] = randomUnit(rng, 3_000);
        slots.put(hi, lo, holder, index);
        twin.set(`${hi}:${lo}`, { hi, lo, lease: `${session}/0@${index}`, session });
      }
    } else {
      let left = randomBelow(rng, 200);
      for (const [unit, { hi, lo }] of twin) {
        if (left-- === 0) break;
        slots.remove(slots.find(hi, lo));
        twin.delete(unit);
      }
    }
    if (slots.isRebuilding) sliced++;
    // Seldom, so that a rebuild lasts over several changes.
    if (randomBelow(rng, 4) === 0) slots.tend();
    if (index % 10 === 0) check(slots, twin, rng);
  }
  return { buffers, sliced };
}

describe('units in buffers replaced in slices', () => {
  it('are those of the twin after every change, whatever part is carried over', () => {
    let all = { buffers: 0, sliced: 0 };
    fc.assert(
      fc.property(fc.integer({ min: 0 }), (seed) => {
        const { buffers, sliced } = run(seed, 150);
        all = { buffers: all.buffers + buffers, sliced: all.sliced + sliced };
      }),
      { numRuns: 15 },
    );
    assert.ok(all.buffers > 30 && all.sliced > 60, JSON.stringify(all));
  });

  it('come into the next buffer a few at a time', () => {
    const handedOut: SharedArrayBuffer[] = [];
    const slots = new UnitSlots((buffer) => handedOut.push(buffer));
    slots.addSession(1, 1);
    const rng = new SeededRng(3);
    let rebuilding = 0;
    for (let entry = 1; entry <= 300; entry++) {
      slots.reserve(1_000);
      if (slots.isRebuilding) rebuilding++;
      for (let i = 0; i < 1_000; i++) slots.put(rng.u32(), rng.u32(), slots.holderOf(1, 0), entry);
      slots.tend();
    }
    assert.equal(slots.unitCount, 300_000);
    assert.ok(
      handedOut.length >= 8 && rebuilding > 30,
      `${handedOut.length} buffers, ${rebuilding} of 300 while rebuilding`,
    );
  });

  it('leave a large buffer that is nearly empty, slice by slice', () => {
    const slots = new UnitSlots(() => {});
    slots.addSession(1, 1);
    slots.addSession(2, 1);
    slots.reserve(200_000);
    const rng = new SeededRng(3);
    for (let i = 0; i < 200_000; i++) slots.put(rng.u32(), rng.u32(), slots.holderOf(i < 100 ? 2 : 1, 0), 1);
    const bytes = slots.buffer.byteLength;
    slots.endSession(1);
    let entries = 0;
    while (slots.buffer.byteLength === bytes && entries < 1_000) {
      slots.tend();
      entries++;
    }
    assert.ok(entries > 20 && entries < 1_000, `${entries} entries`);
    assert.ok(slots.buffer.byteLength < bytes / 8);
    assert.equal(slots.unitCount, 100);
  });
});
