import { LogError } from '@holdfast/engine';
import type { KafkaLog, KafkaTopicOptions } from '@holdfast/stream-kafka';
import { kafkaError } from './open-kafka.ts';
import { ServiceError } from './service-error.ts';

export interface WantedTopic {
  readonly topic: string;
  readonly partitions: number;
  readonly options: KafkaTopicOptions;
}

/**
 * Creates what is missing, or names all of it.
 * @throws ServiceError TOPIC_MISSING, LOG_DENIED, LOG_UNUSABLE
 */
export async function prepareTopics(
  log: Pick<KafkaLog, 'describe' | 'createKafkaTopic'>,
  mayCreate: boolean,
  wanted: readonly WantedTopic[],
): Promise<void> {
  const missing: WantedTopic[] = [];
  try {
    for (const one of wanted) if ((await log.describe(one.topic)) === null) missing.push(one);
    if (mayCreate) {
      for (const { topic, partitions, options } of missing) await log.createKafkaTopic(topic, partitions, options);
      return;
    }
  } catch (error) {
    throw error instanceof LogError ? kafkaError(error) : error;
  }
  if (missing.length === 0) return;
  const names = missing.map(({ topic, partitions }) => `${topic} (${partitions} partitions)`).join(', ');
  throw new ServiceError('TOPIC_MISSING', `Kafka has no topic ${names}: create it, or allow it by kafka.createTopics`);
}
