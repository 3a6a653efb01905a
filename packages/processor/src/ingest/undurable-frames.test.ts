import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { defaultRecordLimits } from '../limits.ts';
import { UndurableFrames } from './undurable-frames.ts';

/** Each frame for itself. */
class UnjoinedFrames {
  readonly #frames: { readonly frame: number; readonly firstOffset: number }[] = [];

  get size(): number {
    return this.#frames.length;
  }

  get leastOffset(): number {
    return Math.min(...this.#frames.map(({ firstOffset }) => firstOffset));
  }

  add(frame: number, firstOffset: number): void {
    this.#frames.push({ frame, firstOffset });
  }

  markDurable(frame: number): void {
    const left = this.#frames.findIndex((kept) => kept.frame > frame);
    this.#frames.splice(0, left < 0 ? this.#frames.length : left);
  }
}

test('joined frames are durable never sooner than each for itself, and with the last of them at the latest', () => {
  const add = fc.record({ gap: fc.integer({ min: 1, max: 3 }), offset: fc.nat(50) });
  const report = fc.record({ durable: fc.double({ min: 0, max: 1, noNaN: true }) });
  const steps = fc.array(fc.oneof({ weight: 6, arbitrary: add }, report), { maxLength: 300, size: 'max' });
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 20 }), steps, (runsMax, steps) => {
      const joined = new UndurableFrames(runsMax);
      const each = new UnjoinedFrames();
      let [frame, reported] = [0, 0];
      for (const step of steps) {
        if ('gap' in step) {
          frame += step.gap;
          joined.add(frame, step.offset);
          each.add(frame, step.offset);
        } else {
          reported += Math.floor((frame - reported) * step.durable);
          joined.markDurable(reported);
          each.markDurable(reported);
        }
        assert.ok(joined.leastOffset <= each.leastOffset, `${joined.leastOffset}, not ${each.leastOffset}`);
        assert.ok(joined.runs <= Math.min(runsMax, each.size + 1), `${joined.runs} runs`);
        assert.equal(joined.runs > 0, joined.leastOffset < Number.POSITIVE_INFINITY);
        if (each.size > 0) assert.ok(joined.runs > 0);
      }
      joined.markDurable(frame);
      assert.deepEqual([joined.runs, joined.leastOffset], [0, Number.POSITIVE_INFINITY]);
    }),
  );
});

test('up to the limit, each frame is durable by itself', () => {
  const frames = new UndurableFrames(16);
  for (let frame = 1; frame <= 16; frame++) frames.add(frame, frame);
  for (let frame = 1; frame <= 16; frame++) {
    assert.equal(frames.leastOffset, frame);
    frames.markDurable(frame);
  }
});

test('under steady load reports that never reach the end are followed, nearly as far as they go', () => {
  for (const [runsMax, behind] of [
    [16, 400],
    [defaultRecordLimits.undurableRunsMax, 30_000],
  ] as const) {
    const frames = new UndurableFrames(runsMax);
    let worst = 0;
    for (let frame = 1; frame <= behind * 10; frame++) {
      frames.add(frame, frame);
      if (frame % 100 !== 0 || frame <= behind) continue;
      frames.markDurable(frame - behind);
      worst = Math.max(worst, frame - behind + 1 - frames.leastOffset);
    }
    // Two runs' worth: what is held back lies in one run, of the frames that were there when it was joined.
    assert.ok(worst <= (2 * 4 * behind) / runsMax, `${worst} frames of ${behind} held back, with ${runsMax} runs`);
  }
});

test('a store that is away for a day costs no more than one that is away for minutes', () => {
  const { undurableRunsMax } = defaultRecordLimits;
  const frames = new UndurableFrames(undurableRunsMax);
  const count = 5_000_000;
  for (let frame = 1; frame <= count; frame++) {
    frames.add(frame, frame);
    if (frame % 1_000 === 0) assert.ok(frames.runs <= undurableRunsMax);
  }
  assert.equal(frames.leastOffset, 1);
  // The round that waited for the store knows of what was settled when it began.
  frames.markDurable(count / 2);
  const step = (4 * count) / undurableRunsMax;
  assert.ok(frames.leastOffset > count / 2 - step && frames.leastOffset <= count / 2 + 1, `${frames.leastOffset}`);
  frames.markDurable(count);
  assert.equal(frames.runs, 0);
});
