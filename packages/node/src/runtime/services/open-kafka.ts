import { LogError } from '@holdfast/engine';
import type { KafkaLog, KafkaOptions, SaslOptions } from '@holdfast/stream-kafka';
import type { KafkaConfig, SaslConfig, TlsConfig } from '../../config/service-config.ts';
import { ServiceError } from './service-error.ts';
import { readSecret, readSettingFile, readTls } from './setting-file.ts';
import { type Reached, type ServiceEnvironment, untilReached } from './until-reached.ts';

/**
 * Opens Kafka as configured; waits for brokers up to `connectDeadlineMs`.
 * @throws ServiceError LOG_UNREACHABLE, LOG_DENIED, LOG_UNUSABLE, FILE_UNREADABLE, START_INTERRUPTED
 */
export async function openKafka(config: KafkaConfig, environment: ServiceEnvironment): Promise<KafkaLog> {
  const { KafkaLog, KafkaOptionsError } = await import('@holdfast/stream-kafka');
  const context = { clock: environment.timers, logger: environment.logger.child('kafka') };
  const attempt = async (): Promise<Reached<KafkaLog>> => {
    try {
      // What is read of files is read for each try: they may have been mended since.
      const options = kafkaOptions(config);
      // One try, so that the waiting is this node's, and said; the log that is kept tries for longer.
      const probe = await KafkaLog.open({ ...options, limits: { ...options.limits, retryTimeMs: 1 } }, context);
      await probe.close();
      return { service: await KafkaLog.open(options, context) };
    } catch (error) {
      if (error instanceof KafkaOptionsError) throw new ServiceError('LOG_UNUSABLE', error.message, { cause: error });
      if (!(error instanceof LogError)) throw error;
      if (error.code === 'LOG_IO') return { why: error.message.replace(/ \(given up after [^)]*\)$/, '') };
      throw kafkaError(error);
    }
  };
  const name = `Kafka at ${config.brokers.join(', ')}`;
  return untilReached(environment, { name, code: 'LOG_UNREACHABLE', deadlineMs: config.connectDeadlineMs }, attempt);
}

/** One line in place of the adapter's error. */
export function kafkaError(error: LogError): ServiceError {
  const denied = error.code === 'ACCESS_DENIED';
  const text = denied ? `Kafka refuses this client: ${error.message}` : `Kafka: ${error.message}`;
  return new ServiceError(denied ? 'LOG_DENIED' : 'LOG_UNUSABLE', text, { cause: error });
}

/** @throws ServiceError FILE_UNREADABLE */
export function kafkaOptions(config: KafkaConfig): KafkaOptions {
  const { tls, sasl, topics, decompressedBytesMax, retryTimeMs } = config;
  return {
    brokers: config.brokers,
    client: config.client,
    clientId: config.clientId,
    isolation: config.isolation,
    compression: config.compression,
    limits: { decompressedBytesMax, retryTimeMs },
    ...(tls === null ? {} : { tls: tlsOptions(tls) }),
    ...(sasl === null ? {} : { sasl: saslOptions(sasl) }),
    createTopics: {
      allowed: topics.create,
      ...(topics.replicationFactor === null ? {} : { replicationFactor: topics.replicationFactor }),
      ...(topics.retentionMs === null ? {} : { retentionMs: topics.retentionMs }),
      configs: topics.configs,
    },
  };
}

function tlsOptions(tls: TlsConfig): Exclude<KafkaOptions['tls'], boolean | undefined> {
  // Read here too, so that what is missing is named by its setting.
  readTls('kafka', tls);
  const { caFile, certFile, keyFile, serverName } = tls;
  return {
    ...(caFile === null ? {} : { caFile }),
    ...(certFile === null ? {} : { certFile }),
    ...(keyFile === null ? {} : { keyFile }),
    ...(serverName === null ? {} : { serverName }),
  };
}

function saslOptions(sasl: SaslConfig): SaslOptions {
  if (sasl.mechanism !== 'OAUTHBEARER') {
    const { mechanism, username, password: secret } = sasl;
    const password = () => readSecret('kafka.passwordFile', secret);
    // What can't be read is said at once. Later ones are for the connections that are made then: whoever changes the
    // password writes the file anew, and no node is started again for that.
    password();
    return { mechanism, username, password };
  }
  const { tokenFile } = sasl;
  readSettingFile('kafka.tokenFile', tokenFile);
  // Tokens are short-lived as well.
  return { mechanism: 'OAUTHBEARER', token: async () => readSecret('kafka.tokenFile', { file: tokenFile }) };
}
