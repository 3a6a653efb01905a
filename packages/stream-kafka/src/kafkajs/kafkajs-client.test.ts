import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, test } from 'node:test';
import { createServer, type TLSSocket } from 'node:tls';
import { silentLogger } from '@holdfast/model';
import { TlsSource } from '../tls-source.ts';
import { Certificates } from '../tls-support.test.ts';
import { saslOf, tlsSockets } from './kafkajs-client.ts';

const certificates = new Certificates();
after(() => certificates.remove());

test('kafkajs is given the password and the certificates that are there when it connects', async () => {
  let password = 'old';
  const sasl = saslOf({ mechanism: 'SCRAM-SHA-256', username: 'u', password: () => password });
  assert.deepEqual({ ...sasl }, { mechanism: 'scram-sha-256', username: 'u', password: 'old' });
  password = 'new';
  assert.deepEqual({ ...sasl }, { mechanism: 'scram-sha-256', username: 'u', password: 'new' });

  certificates.make('broker');
  const tls = { caFile: certificates.path('broker.pem'), ...certificates.make('own') };
  const [key, cert] = [certificates.read('broker.key'), certificates.read('broker.pem')];
  const server = createServer({ key, cert, requestCert: true, rejectUnauthorized: false });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const connect = tlsSockets(new TlsSource(tls), silentLogger);
  const { port } = server.address() as { port: number };
  try {
    const shown: string[] = [];
    for (let i = 0; i < 2; i++) {
      const accepted = once(server, 'secureConnection') as Promise<[TLSSocket]>;
      const socket = connect({ host: '127.0.0.1', port, ssl: {}, onConnect: () => {} });
      const [peer] = await accepted;
      shown.push(peer.getPeerX509Certificate()!.fingerprint);
      socket.destroy();
      peer.destroy();
      certificates.make('own');
    }
    assert.notEqual(shown[0], shown[1]);
  } finally {
    server.close();
  }
});
