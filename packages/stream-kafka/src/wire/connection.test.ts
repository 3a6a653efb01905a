import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { createServer } from 'node:tls';
import { silentLogger } from '@holdfast/model';
import { apiVersions } from '../apis/api-versions.ts';
import type { KafkaError } from '../errors.ts';
import { compileKafkaOptions } from '../options.ts';
import type { KafkaTlsOptions } from '../tls-source.ts';
import { Certificates } from '../tls-support.test.ts';
import { Connection } from './connection.ts';

const certificates = new Certificates();
after(() => certificates.remove());
certificates.make('broker');
const caFile = certificates.path('broker.pem');

/** What becomes of the first request to a listener that takes only clients of its own authority. */
async function firstRequest(tls: KafkaTlsOptions): Promise<KafkaError> {
  const [key, cert] = [certificates.read('broker.key'), certificates.read('broker.pem')];
  const wanting = { key, cert, ca: cert, requestCert: true, rejectUnauthorized: true };
  const server = createServer(wanting, (socket) => socket.on('error', () => {}));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const compiled = compileKafkaOptions({ brokers: [`127.0.0.1:${port}`], tls });
  const options = { ...compiled, tls: compiled.tls!.current(silentLogger) };
  try {
    const connection = await Connection.open({ host: '127.0.0.1', port }, options);
    return await connection.request(apiVersions, null).then(
      () => assert.fail('it was answered'),
      (error: KafkaError) => error,
    );
  } finally {
    server.close();
  }
}

test('a broker that wants a client certificate denies, though with TLS 1.3 the connection is made before', async () => {
  const { code, message } = await firstRequest({ caFile });
  assert.match(message, /^127\S+: the broker takes no such client over TLS: .*certificate required/);
  assert.equal(code, 'DENIED');
});

test('where a broker closes without a word over a certificate, that is named as what it may be', async () => {
  const { code, message } = await firstRequest({ caFile, ...certificates.make('another') });
  assert.match(message, /; it may want a client certificate, or another one/);
  assert.equal(code, 'UNREACHABLE');
});
