import type { Scenario } from '../harness/scenario.ts';
import { killedHolder } from './f01-killed-holder.ts';
import { pausedHolder } from './f04-paused-holder.ts';
import { isolatedNodes } from './f11-isolated-nodes.ts';
import { oneWayCut } from './f12-one-way-cut.ts';
import { sigtermAtFullLoad } from './f57-sigterm-at-full-load.ts';

/** All of them, in the order of their faults' numbers. One more is a file, and a line here. */
export const scenarios: readonly Scenario[] = [killedHolder, pausedHolder, isolatedNodes, oneWayCut, sigtermAtFullLoad];

/** What CI runs. */
export const smoke: readonly string[] = ['F01', 'F04', 'F11', 'F12', 'F57'];

/** By any of its faults' numbers; null when there is none. */
export function scenarioOf(fault: string): Scenario | null {
  return scenarios.find(({ faults }) => faults.includes(fault)) ?? null;
}
