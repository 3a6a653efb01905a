import type { Logger } from '@holdfast/model';
import kafkajs, { type Kafka, type SASLOptions } from 'kafkajs';
import type { CompiledKafkaOptions, SaslOptions } from '../options.ts';

/** kafkajs with our settings; it makes no connection yet. */
export function kafkaJsClient(options: CompiledKafkaOptions, logger: Logger): Kafka {
  const { brokers, clientId, tls, sasl, connectTimeoutMs, requestTimeoutMs, backoffMsMin, backoffMsMax } = options;
  return new kafkajs.Kafka({
    brokers: brokers.map(({ host, port }) => `${host}:${port}`),
    clientId,
    ...(tls === null ? {} : { ssl: tls }),
    ...(sasl === null ? {} : { sasl: saslOf(sasl) }),
    connectionTimeout: connectTimeoutMs,
    requestTimeout: requestTimeoutMs,
    retry: { initialRetryTime: backoffMsMin, maxRetryTime: backoffMsMax, retries: 20 },
    // Its errors arrive as errors as well; what it writes beside them is for who looks closely.
    logCreator: () => (entry) => logger.debug(`kafkajs: ${entry.log.message}`, { namespace: entry.namespace }),
  });
}

function saslOf(sasl: SaslOptions): SASLOptions {
  if (sasl.mechanism === 'OAUTHBEARER') {
    const { token } = sasl;
    return { mechanism: 'oauthbearer', oauthBearerProvider: async () => ({ value: await token() }) };
  }
  const { username, password } = sasl;
  if (sasl.mechanism === 'PLAIN') return { mechanism: 'plain', username, password };
  if (sasl.mechanism === 'SCRAM-SHA-256') return { mechanism: 'scram-sha-256', username, password };
  return { mechanism: 'scram-sha-512', username, password };
}
