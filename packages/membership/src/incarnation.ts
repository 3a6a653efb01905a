import { assert } from '@holdfast/model';
import { incarnationMax, incarnationsPerStart, startCounterMax } from './limits.ts';

/**
 * The incarnation a node begins with: above all that its earlier starts can have used, without a clock and without
 * storing one. The start counter lives in the data folder and is raised at each start (PROTOCOL.md 1).
 */
export function incarnationOfStart(startCounter: number): number {
  assert(
    Number.isInteger(startCounter) && startCounter >= 0 && startCounter <= startCounterMax,
    `start counter ${startCounter}, expected 0..${startCounterMax}`,
  );
  return startCounter * incarnationsPerStart;
}

/** Whether a number may be an incarnation at all; what comes from outside may be anything. */
export function isIncarnation(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= incarnationMax;
}
