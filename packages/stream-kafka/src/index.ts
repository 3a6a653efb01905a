export type { BrokerAddress } from './apis/metadata.ts';
export type { LookedAt } from './broker-look.ts';
export { KafkaError, type KafkaErrorCode, kafkaErrorCodes } from './errors.ts';
export {
  KafkaLog,
  type KafkaPartitionInfo,
  type KafkaTopicOptions,
  type PartitionLag,
} from './kafka-log.ts';
export {
  type Compression,
  compressions,
  defaultKafkaLimits,
  type KafkaClient,
  type KafkaEnvironment,
  type KafkaLimits,
  type KafkaOptions,
  KafkaOptionsError,
  kafkaClients,
  type SaslOptions,
  saslMechanisms,
} from './options.ts';
export type { KafkaTlsOptions } from './tls-source.ts';
