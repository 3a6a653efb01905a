import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeededRng } from '@holdfast/model';
import { calmMs } from './liveness.ts';
import { WorldRun } from './simulated-run.ts';
import type { SimulatedWorld } from './simulated-world.ts';
import { Trace } from './trace.ts';
import { VirtualTime } from './virtual-time.ts';

/** A world that was healed at 1 s, in order so long after it, and whose term or session ends then, if it does. */
async function calmOf(inOrderMs: number, what: 'term' | 'session' | null, atMs: number): Promise<void> {
  const time = new VirtualTime(new SeededRng(1), new Trace(false));
  const leadership = { term: 4 };
  const ended = new Map<number, { index: number; reason: string }>();
  const healedAtMs = 1_000;
  const world = {
    time,
    healedAtMs,
    failure: null,
    nodes: [],
    leader: { control: { leadership } },
    checks: { model: { ended } },
  };
  const run = new WorldRun(world as unknown as SimulatedWorld);
  await run.pass(healedAtMs + inOrderMs);
  time.after(healedAtMs + atMs - time.nowMs, 'end', () => {
    if (what === 'term') leadership.term = 5;
    if (what === 'session') ended.set(7, { index: 9, reason: 'expired' });
  });
  await run.stayCalm(calmMs);
}

test('I8: in the calm nothing ends, but a term by what was ordered before the healing', async () => {
  await calmOf(3_000, null, 5_000);
  await calmOf(3_000, 'term', 6_400);
  await assert.rejects(calmOf(3_000, 'term', 7_100), /^SimulationFailure: I8: without a fault term 4 ended/);
  await assert.rejects(calmOf(3_000, 'term', 14_900), /I8: without a fault term 4 ended/);
  await assert.rejects(calmOf(9_000, 'term', 9_100), /I8: without a fault term 4 ended/);
  await assert.rejects(calmOf(3_000, 'session', 3_100), /I8: without a fault session 7 ended at 9/);
});
