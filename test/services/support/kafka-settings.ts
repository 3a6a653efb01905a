import { join } from 'node:path';

export interface BrokerPorts {
  readonly plain: number;
  readonly controller: number;
  /** SASL without and with TLS; unused unless the service is a secure one. */
  readonly sasl: number;
  readonly secure: number;
}

/** One user by each way of authenticating. */
export const kafkaUser = { username: 'alice', password: 'alice-secret' } as const;

export interface BrokerSettings {
  readonly nodeId: number;
  readonly all: readonly BrokerPorts[];
  readonly host: string;
  readonly dataDir: string;
  /** PEM with the brokers' key and certificate. */
  readonly keystore: string | null;
  readonly configs: Readonly<Record<string, string>>;
}

/** A broker's server.properties. All listen on that address only. */
export function serverProperties({ nodeId, all, host, dataDir, keystore, configs }: BrokerSettings): string {
  const own = all[nodeId - 1]!;
  const replicas = Math.min(all.length, 3);
  const listeners = [`PLAINTEXT://${host}:${own.plain}`];
  if (keystore !== null) listeners.push(`SASL://${host}:${own.sasl}`, `SECURE://${host}:${own.secure}`);
  const settings: Record<string, string | number> = {
    'process.roles': 'broker,controller',
    'node.id': nodeId,
    'controller.quorum.voters': all.map(({ controller }, i) => `${i + 1}@${host}:${controller}`).join(','),
    listeners: [...listeners, `CONTROLLER://${host}:${own.controller}`].join(','),
    'advertised.listeners': listeners.join(','),
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL:SASL_PLAINTEXT,SECURE:SASL_SSL',
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'PLAINTEXT',
    'log.dirs': join(dataDir, 'log'),
    'auto.create.topics.enable': 'false',
    'default.replication.factor': replicas,
    'min.insync.replicas': Math.min(replicas, 2),
    'offsets.topic.replication.factor': replicas,
    'offsets.topic.num.partitions': 4,
    'transaction.state.log.replication.factor': replicas,
    'transaction.state.log.min.isr': 1,
    'transaction.state.log.num.partitions': 4,
    'group.initial.rebalance.delay.ms': 0,
    'broker.session.timeout.ms': 4_000,
    'broker.heartbeat.interval.ms': 500,
    'log.cleaner.dedupe.buffer.size': 33_554_432,
    'log.retention.check.interval.ms': 1_000,
    ...(keystore === null ? {} : secureSettings(keystore)),
    ...configs,
  };
  return Object.entries(settings)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}

function secureSettings(keystore: string): Record<string, string> {
  const { username, password } = kafkaUser;
  const modules = 'org.apache.kafka.common.security';
  const settings: Record<string, string> = {
    'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER',
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.location': keystore,
  };
  for (const listener of ['sasl', 'secure']) {
    const prefix = `listener.name.${listener}`;
    const plain = `${modules}.plain.PlainLoginModule required user_${username}="${password}";`;
    settings[`${prefix}.plain.sasl.jaas.config`] = plain;
    for (const mechanism of ['scram-sha-256', 'scram-sha-512']) {
      settings[`${prefix}.${mechanism}.sasl.jaas.config`] = `${modules}.scram.ScramLoginModule required;`;
    }
    // Kafka's own check for tokens without a signature: for tests only, as its documentation says.
    settings[`${prefix}.oauthbearer.sasl.jaas.config`] =
      `${modules}.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";`;
  }
  return settings;
}
