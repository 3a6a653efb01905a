import { LmdbLog } from '@holdfast/embedded';
import { defaultShardSettings, type Log } from '@holdfast/engine';
import { defaultRecordLimits } from '@holdfast/processor';
import type { NodeConfig } from '../../config/node-config.ts';
import { openKafka } from './open-kafka.ts';
import { prepareTopics } from './prepare-topics.ts';
import type { ServiceEnvironment } from './until-reached.ts';

/** A letter has a whole record in it; what is larger is cut. */
const letterHeaderBytes = 1024 * 1024;
const letterBytesMax = defaultRecordLimits.recordBytesMax + letterHeaderBytes;

/** The topic's own limit, above the brokers' default of 1 MiB; a higher one that is configured for all topics stands. */
export function deadLetterConfigs(configured: Readonly<Record<string, string>>): Record<string, string> {
  const name = 'max.message.bytes';
  return { [name]: String(Math.max(letterBytesMax, Number(configured[name] ?? 0) || 0)) };
}

/** Append times by the brokers' clock: by default a record has its producer's, which may be wrong by years. */
export function inputConfigs(configured: Readonly<Record<string, string>>): Record<string, string> {
  const name = 'message.timestamp.type';
  return { [name]: configured[name] ?? 'LogAppendTime' };
}

/** Opens the configured log. @param embeddedPath where the embedded one lies @throws ServiceError */
export async function openLog(
  config: Pick<NodeConfig, 'log'>,
  embeddedPath: string,
  environment: ServiceEnvironment,
): Promise<Log> {
  if (config.log.kind === 'kafka') return openKafka(config.log, environment);
  return LmdbLog.open(embeddedPath, environment.timers);
}

/** A log, and what this node asks it over and over (`ServiceWatch`). */
export interface WatchedLog {
  readonly log: Log;
  readonly look: () => Promise<unknown>;
}

/**
 * The same, and sees to it that the job's topics are there. Those of the embedded log are made by whoever feeds it.
 * @throws ServiceError
 */
export async function openLogWithTopics(
  config: Pick<NodeConfig, 'log'>,
  embeddedPath: string,
  job: { readonly name: string; readonly inputs: readonly string[]; readonly outputs: readonly string[] },
  environment: ServiceEnvironment,
): Promise<WatchedLog> {
  if (config.log.kind !== 'kafka') {
    const log = await openLog(config, embeddedPath, environment);
    return { log, look: () => log.describe(job.inputs[0]!) };
  }
  const log = await openKafka(config.log, environment);
  const { deadLetterTopic, outputPartitions } = defaultShardSettings;
  const { topics } = config.log;
  try {
    await prepareTopics(log, topics.create, [
      ...job.inputs.map((topic) => ({
        topic,
        partitions: topics.inputPartitions,
        options: { configs: inputConfigs(topics.configs) },
      })),
      ...job.outputs.map((topic) => ({ topic, partitions: outputPartitions, options: {} })),
      {
        topic: deadLetterTopic,
        partitions: outputPartitions,
        options: { retentionMs: topics.deadLetterRetentionMs, configs: deadLetterConfigs(topics.configs) },
      },
    ]);
    const look = log.newLook({ topics: [...job.inputs, ...job.outputs, deadLetterTopic], group: job.name });
    return { log, look };
  } catch (error) {
    await log.close();
    throw error;
  }
}
