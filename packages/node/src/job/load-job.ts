import { pathToFileURL } from 'node:url';
import { accessAnomaly } from '@holdfast/access-anomaly';
import { type AnyProcessor, type CompiledJob, compileProcessor } from '@holdfast/sdk';
import { isPath, unknownJob } from '../config/job-names.ts';
import type { NodeConfig } from '../config/node-config.ts';
import { decodeText, encodeText } from './fast-text.ts';
import { JobLoadError } from './job-load-error.ts';
import { loadMapping } from './load-mapping.ts';

/**
 * Compiles the configured job for this thread.
 * @throws JobLoadError
 */
export async function loadJob(config: NodeConfig['job']): Promise<CompiledJob> {
  const processor = isPath(config.name) ? await importProcessor(config.name) : builtIn(config);
  const input = Object.keys(processor.definition.input)[0]!;
  const topics = config.inputTopic === null ? {} : { [input]: config.inputTopic };
  return compileProcessor(processor, { topics, decodeText, encodeText });
}

function builtIn(config: NodeConfig['job']): AnyProcessor {
  const unknown = unknownJob(config.name);
  if (unknown !== null) throw new JobLoadError('UNKNOWN_JOB', `unknown job ${config.name}: ${unknown}`);
  return accessAnomaly({ mapping: loadMapping(config.mapping) });
}

async function importProcessor(path: string): Promise<AnyProcessor> {
  let module: { default?: AnyProcessor };
  try {
    module = (await import(pathToFileURL(path).href)) as { default?: AnyProcessor };
  } catch (cause) {
    const why = (cause as Error).message.split('\n')[0];
    throw new JobLoadError('BAD_JOB', `job ${path} can't be loaded: ${why}`, { cause });
  }
  if (typeof module.default !== 'object' || !('definition' in module.default)) {
    throw new JobLoadError('BAD_JOB', `job ${path} has no default export made by defineProcessor`);
  }
  return module.default;
}
