import { readFileSync } from 'node:fs';
import { builtInMappings, type Mapping, parseMapping } from '@holdfast/access-anomaly';
import { parse as parseYaml } from 'yaml';
import { unknownMapping } from '../config/job-names.ts';
import { JobLoadError } from './job-load-error.ts';

/**
 * A mapping by its built-in name or from a YAML or JSON file.
 * @throws JobLoadError, with all problems of the file in its text
 */
export function loadMapping(nameOrPath: string): Mapping {
  const builtIn = builtInMappings.get(nameOrPath);
  if (builtIn !== undefined) return builtIn;
  const unknown = unknownMapping(nameOrPath);
  if (unknown !== null) throw new JobLoadError('UNKNOWN_MAPPING', `unknown mapping ${nameOrPath}: ${unknown}`);
  let document: unknown;
  try {
    document = parseYaml(readFileSync(nameOrPath, 'utf8'));
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const why = code === 'ENOENT' ? 'there is no such file' : message.split('\n')[0];
    throw new JobLoadError('BAD_MAPPING', `mapping ${nameOrPath} can't be read: ${why}`, { cause });
  }
  const parsed = parseMapping(document);
  if (parsed.ok) return parsed.mapping;
  throw new JobLoadError('BAD_MAPPING', `mapping ${nameOrPath} is wrong: ${parsed.problems.join('; ')}`);
}
