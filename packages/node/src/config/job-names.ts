import { isAbsolute } from 'node:path';
import { builtInMappings } from '@holdfast/access-anomaly';
import { nearestName } from './nearest-name.ts';

/** Jobs that come with holdfast. */
export const builtInJobs = ['access-anomaly'] as const;

/** `nginx` is a name; `./x`, `a/b` and `m.yaml` are files. */
export function isPath(text: string): boolean {
  return isAbsolute(text) || /[\\/]/.test(text) || /\.(ya?ml|json|ts|m?js)$/.test(text);
}

/** What could be meant by a job's name that is neither built in nor a path; null: it is one of these. */
export function unknownJob(name: string): string | null {
  if (isPath(name) || (builtInJobs as readonly string[]).includes(name)) return null;
  return `known are ${builtInJobs.join(', ')}, or give a module's path${hint(name, builtInJobs)}`;
}

/** The same of a mapping. */
export function unknownMapping(name: string): string | null {
  if (isPath(name) || builtInMappings.has(name)) return null;
  const known = [...builtInMappings.keys()];
  return `known are ${known.join(', ')}, or give a .yaml or .json file${hint(name, known)}`;
}

function hint(name: string, known: readonly string[]): string {
  const near = nearestName(name, known);
  return near === null ? '' : `; did you mean ${near}?`;
}
