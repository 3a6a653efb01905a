import type { Scenario } from '../harness/scenario.ts';
import { killedHolder } from './f01-killed-holder.ts';
import { pausedHolder } from './f04-paused-holder.ts';
import { onServices } from './on-services.ts';

/** All of them, in the order of their faults' numbers. One more is a file, and a line here. */
export const scenarios: readonly Scenario[] = [killedHolder, pausedHolder, ...onServices];

/** What CI runs. */
export const smoke: readonly string[] = ['F01', 'F04'];

/** By any of its faults' numbers; null when there is none. */
export function scenarioOf(fault: string): Scenario | null {
  return scenarios.find(({ faults }) => faults.includes(fault)) ?? null;
}
