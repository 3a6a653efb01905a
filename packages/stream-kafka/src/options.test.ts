import assert from 'node:assert/strict';
import { test } from 'node:test';
import { topicId } from '@holdfast/model';
import { decodeCommitMetadata, encodeCommitMetadata } from './commit-metadata.ts';
import { compileKafkaOptions, type KafkaOptions, KafkaOptionsError } from './options.ts';

test('lists all that is wrong at once', () => {
  const wrong = {
    brokers: ['localhost', 'a:99999'],
    compression: 'brotli',
    client: 'librdkafka',
    tls: { caFile: 'no-such.pem', certFile: 'no-such.crt' },
    limits: { retryTimeMs: 0 },
  } as unknown as KafkaOptions;
  assert.throws(
    () => compileKafkaOptions(wrong),
    (error) => error instanceof KafkaOptionsError && error.problems.length === 8,
  );
  assert.throws(() => compileKafkaOptions({ brokers: [] }), /name at least one/);
});

test('compiles to numbers and addresses', () => {
  const compiled = compileKafkaOptions({
    brokers: ['kafka-1:9092', '[::1]:9093'],
    createTopics: { retentionMs: 86_400_000, configs: { 'max.message.bytes': '5' } },
  });
  assert.deepEqual(compiled.brokers, [
    { host: 'kafka-1', port: 9092 },
    { host: '::1', port: 9093 },
  ]);
  assert.deepEqual(compiled.topicConfigs, { 'retention.ms': '86400000', 'max.message.bytes': '5' });
  assert.equal(compiled.isolation, 1);
});

test('commit metadata comes back; what others wrote is not ours', () => {
  const rest = { fence: 2 ** 40, topicId: topicId('AAAAAAAAQACAAAAAAAAAAA') };
  for (const generationId of ['5f8cd1f8-3b90-4c9a-9a6e-0a4f0f1f2e3d', 'a'.repeat(64), '1', 'of yesterday', 'ü%20=\n']) {
    const text = encodeCommitMetadata({ generationId, ...rest });
    assert.match(text, /^[\x21-\x7e]+( [\x21-\x7e]+){3}$/);
    assert.deepEqual(decodeCommitMetadata(text), { generationId, ...rest });
  }
  for (const text of ['', 'NONE', 'holdfast/3 generation=1 fence=1 topic=a', 'holdfast/2 generation= fence=1 topic=a'])
    assert.equal(decodeCommitMetadata(text), null);
});

test('a commit that names the number of a generation vouches for no store', () => {
  for (const version of ['1 generation=1', '2 generation=%']) {
    const found = decodeCommitMetadata(`holdfast/${version} fence=7 topic=T`);
    assert.deepEqual(found, { generationId: null, fence: 7, topicId: 'T' });
  }
});
