import type { Figure } from '../run.ts';
import { virtualFigures } from './virtual.ts';

/** The figures of failure detection in virtual time, the same on any machine; `run.ts` beside it measures processes. */
export function membership(): Figure[] {
  const { quiet, detection } = virtualFigures(24, 1_000);
  return [
    ...Object.entries(quiet).flatMap(([name, run]) => [
      { name: `24h/${name}/false-deaths`, value: run.falseDeaths, unit: 'members' },
      { name: `24h/${name}/suspicions`, value: run.suspicions, unit: 'members' },
    ]),
    ...Object.entries(detection).flatMap(([name, run]) => [
      { name: `kill/${name}/p50`, value: run.allP50Ms, unit: 'ms' },
      { name: `kill/${name}/p99`, value: run.allP99Ms, unit: 'ms' },
      { name: `kill/${name}/max`, value: run.allMaxMs, unit: 'ms' },
      { name: `kill/${name}/false-deaths`, value: run.falseDeaths, unit: 'members' },
    ]),
  ];
}
