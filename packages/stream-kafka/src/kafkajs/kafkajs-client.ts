import { isIP } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Logger } from '@holdfast/model';
import kafkajs, { type ISocketFactory, type Kafka, type SASLOptions } from 'kafkajs';
import type { CompiledKafkaOptions, SaslOptions } from '../options.ts';
import type { TlsSource } from '../tls-source.ts';

const keepAliveMs = 60_000;
const mechanisms = { PLAIN: 'plain', 'SCRAM-SHA-256': 'scram-sha-256', 'SCRAM-SHA-512': 'scram-sha-512' } as const;

/** kafkajs with our settings; it makes no connection yet. */
export function kafkaJsClient(options: CompiledKafkaOptions, logger: Logger): Kafka {
  const { brokers, clientId, tls, sasl, connectTimeoutMs, requestTimeoutMs, backoffMsMin, backoffMsMax } = options;
  return new kafkajs.Kafka({
    brokers: brokers.map(({ host, port }) => `${host}:${port}`),
    clientId,
    ...(tls === null ? {} : { ssl: true, socketFactory: tlsSockets(tls, logger) }),
    ...(sasl === null ? {} : { sasl: saslOf(sasl) }),
    connectionTimeout: connectTimeoutMs,
    requestTimeout: requestTimeoutMs,
    retry: { initialRetryTime: backoffMsMin, maxRetryTime: backoffMsMax, retries: 20 },
    // Its errors arrive as errors as well; what it writes beside them is for who looks closely.
    logCreator: () => (entry) => logger.debug(`kafkajs: ${entry.log.message}`, { namespace: entry.namespace }),
  });
}

/** As kafkajs makes them by itself, but for the certificates, which are read for each. */
export function tlsSockets(tls: TlsSource, logger: Logger): ISocketFactory {
  return ({ host, port, onConnect }) => {
    const named = isIP(host) === 0 ? { servername: host } : {};
    const socket = connectTls({ ...named, ...tls.current(logger), host, port }, onConnect);
    return socket.setKeepAlive(true, keepAliveMs);
  };
}

/** In kafkajs's form. It takes passwords of what it is given, whenever it authenticates. */
export function saslOf(sasl: SaslOptions): SASLOptions {
  if (sasl.mechanism === 'OAUTHBEARER') {
    const { token } = sasl;
    return { mechanism: 'oauthbearer', oauthBearerProvider: async () => ({ value: await token() }) };
  }
  const { username, password } = sasl;
  return {
    mechanism: mechanisms[sasl.mechanism],
    username,
    get password() {
      return typeof password === 'string' ? password : password();
    },
  };
}
