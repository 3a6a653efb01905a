import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { LogError } from '@holdfast/engine';
import { KafkaLog, type KafkaOptions, kafkaClients, type SaslOptions } from '@holdfast/stream-kafka';
import { partitionOf, readRecords, textRecords } from '@holdfast/testkit';
import { freePorts } from '../cluster/support/free-ports.ts';
import { KafkaService, testEnvironment } from './kafka.ts';
import { makeCertificates } from './support/certificates.ts';
import { kafkaUser } from './support/kafka-settings.ts';

/** A token as Kafka's check for tests takes it: no signature. */
function token(lifeSeconds: number): string {
  const now = Math.floor(Date.now() / 1000);
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'none' })}.${part({ sub: 'alice', iat: now - 5, exp: now + lifeSeconds })}.`;
}

const mechanisms: readonly SaslOptions[] = [
  { mechanism: 'PLAIN', ...kafkaUser },
  { mechanism: 'SCRAM-SHA-256', ...kafkaUser },
  { mechanism: 'SCRAM-SHA-512', ...kafkaUser },
  { mechanism: 'OAUTHBEARER', token: async () => token(3_600) },
];

describe('ways into a real Kafka', () => {
  let service: KafkaService;
  let tls: { caFile: string };
  before(async () => {
    service = await KafkaService.start({ secure: true });
    tls = { caFile: service.caFile! };
  });
  after(() => service?.stop());

  for (const client of kafkaClients) {
    for (const sasl of mechanisms) {
      test(`${client}: ${sasl.mechanism}, plain and over TLS`, async () => {
        for (const options of [
          { brokers: service.sasl, sasl },
          { brokers: service.secure, sasl, tls },
        ]) {
          const log = await KafkaLog.open({ ...options, client }, testEnvironment);
          const name = `${client}-${sasl.mechanism}-${'tls' in options}`;
          const topic = await log.createTopic(name, 1);
          await log.append(name, 0, textRecords(['hello']));
          const reader = await log.openReader(name, partitionOf(topic, 0), 0);
          assert.equal((await readRecords(reader, 1))[0]!.value, 'hello');
          await log.close();
        }
      });
    }
  }

  async function refused(options: KafkaOptions, code: string, text: RegExp): Promise<void> {
    const beganMs = performance.now();
    await assert.rejects(
      KafkaLog.open(options, testEnvironment).then((log) => log.close()),
      (error) => {
        assert.ok(error instanceof LogError, String(error));
        assert.equal(error.code, code);
        assert.match(error.message, text);
        assert.doesNotMatch(error.message, /secret/);
        return true;
      },
    );
    assert.ok(performance.now() - beganMs < 10_000, 'at once, not after retryTimeMs');
  }

  test('wrong credentials are refused at once, and clearly', async () => {
    const brokers = service.secure;
    for (const mechanism of ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'] as const) {
      for (const wrong of [
        { ...kafkaUser, password: 'wrong-secret' },
        { username: 'eve', password: 'secret' },
      ]) {
        const text = new RegExp(`SASL ${mechanism} with user ${wrong.username}: SASL_AUTHENTICATION_FAILED`);
        await refused({ brokers, tls, sasl: { mechanism, ...wrong } }, 'ACCESS_DENIED', text);
      }
    }
    const sasl = { mechanism: 'OAUTHBEARER', token: async () => token(-3_600) } as const;
    await refused({ brokers, tls, sasl }, 'ACCESS_DENIED', /OAUTHBEARER with a token: SASL_AUTHENTICATION_FAILED/);
  });

  test('a certificate of another authority is refused at once', async () => {
    const { caFile } = makeCertificates(service.dir, 'others');
    await refused({ brokers: service.secure, tls: { caFile }, sasl: mechanisms[0]! }, 'ACCESS_DENIED', /127\.0\.0\.1/);
  });

  test('says that a listener wants TLS, and after the time given which addresses did not answer', async () => {
    await refused({ brokers: service.secure, sasl: mechanisms[0]! }, 'LOG_IO', /speaks TLS: set tls/);
    const brokers = (await freePorts(2)).map((port) => `127.0.0.1:${port}`);
    const text = new RegExp(`${brokers[0]}: .*ECONNREFUSED.*${brokers[1]}: .*given up after \\d+ tries`);
    await refused({ brokers, limits: { retryTimeMs: 500 } }, 'LOG_IO', text);
  });
});

// A service of its own: kafkajs can't live with authentications as short as this.
test('an authentication that runs out is renewed', async () => {
  const lifeMs = 3_000;
  const configs = { 'connections.max.reauth.ms': String(lifeMs) };
  const service = await KafkaService.start({ secure: true, configs });
  try {
    const options = { brokers: service.secure, sasl: mechanisms[1]!, tls: { caFile: service.caFile! } };
    const log = await KafkaLog.open(options, testEnvironment);
    const topic = await log.createTopic('renewed', 1);
    const partition = partitionOf(topic, 0);
    const reader = await log.openReader('renewed', partition, 0);
    const endMs = performance.now() + 3 * lifeMs;
    for (let n = 0; performance.now() < endMs; n++) {
      assert.equal(await log.append('renewed', 0, textRecords([`${n}`])), n);
      assert.equal((await readRecords(reader, 1))[0]!.value, `${n}`);
      await log.commit('renewed-job', [{ partition, offset: n + 1, generationId: 'life', fence: 1 }]);
    }
    await log.close();
  } finally {
    await service.stop();
  }
});
