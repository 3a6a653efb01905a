import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type NodeId, nodeId, sessionId, shardIndex } from '@holdfast/model';
import { EventLog, sampleFrame } from '@holdfast/testkit';
import { Authority, readCertificate } from '../fixtures/authority.ts';
import { toHolder } from '../fixtures/harness.ts';
import { dnsNames, GrpcPeerTransport, GrpcRecordTransport, ServerHost, type TlsFiles } from './index.ts';

const folder = mkdtempSync(join(tmpdir(), 'holdfast-tls-'));
const cleanups: (() => Promise<void>)[] = [];
after(async () => {
  for (const cleanup of cleanups.reverse()) await cleanup();
  rmSync(folder, { recursive: true });
});

const ours = Authority.create(folder, 'ours');
const [one, two, three] = ['one', 'two', 'three'].map((name) =>
  readCertificate(ours.issue(name, `subjectAltName=DNS:${name}`)),
) as [TlsFiles, TlsFiles, TlsFiles];
const stranger = Authority.create(folder, 'stranger').issue('foreign', 'subjectAltName=DNS:one');
const foreign = { ...readCertificate(stranger), ca: one.ca };

async function node(id: NodeId, tls: TlsFiles | null) {
  const host = new ServerHost({ tls });
  const transport = new GrpcPeerTransport({ nodeId: id, clusterId: 'cluster', host, tls });
  cleanups.push(() => transport.close());
  const address = await transport.listen({
    onRaft() {},
    onUnreachable() {},
    onCall: async (from) => new TextEncoder().encode(from),
  });
  return { transport, address };
}

test('peers with certificates of the same authority talk; all others are refused', async () => {
  const there = await node(nodeId('two'), two);
  const ask = async (id: string, tls: TlsFiles | null) => {
    const { transport } = await node(nodeId(id), tls);
    transport.setPeers(new Map([[nodeId('two'), there.address]]));
    return new TextDecoder().decode(await transport.call(nodeId('two'), 'whoami', new Uint8Array(0), 5_000));
  };
  assert.equal(await ask('one', one), 'one');
  const impostor = await node(nodeId('two'), one);
  const { transport } = await node(nodeId('one'), one);
  transport.setPeers(new Map([[nodeId('two'), impostor.address]]));
  await assert.rejects(transport.call(nodeId('two'), 'whoami', new Uint8Array(0), 5_000), {
    code: 'UNREACHABLE',
    message: /certificate does not name node two/,
  });
  await assert.rejects(ask('three', one), { code: 'UNREACHABLE', message: /certificate does not name node three/ });
  await assert.rejects(ask('one', foreign), { code: 'UNREACHABLE' });
  await assert.rejects(ask('one', null), { code: 'UNREACHABLE' });
});

test('records travel under TLS between the nodes of the sessions, and not without it', async () => {
  const localShard = () => ({ session: sessionId(2), shard: shardIndex(0) });
  const nodes = new Map([
    [1, 'one'],
    [2, 'two'],
  ]);
  /** Whose the sessions are in the eyes of who has these certificates. */
  const withNodes = (tls: TlsFiles | null, known = nodes) =>
    tls === null
      ? null
      : { ...tls, nodeOf: (session: number) => (known.has(session) ? nodeId(known.get(session)!) : null) };
  const holderOf = async (tls: TlsFiles, known = nodes) => {
    const holder = new GrpcRecordTransport({ clusterId: 'cluster', localShard, tls: withNodes(tls, known) });
    cleanups.push(() => holder.close());
    return holder.listen((_stream, receiver) => ({
      onFrame: (frame) => receiver.reply({ kind: 'applied', frame: frame.number }),
      onEnd() {},
    }));
  };
  const address = await holderOf(two);
  const firstEvent = async (tls: TlsFiles | null, at = address) => {
    const ingest = new GrpcRecordTransport({ clusterId: 'cluster', localShard, tls: withNodes(tls) });
    cleanups.push(() => ingest.close());
    const log = new EventLog<string>();
    const sender = ingest.open(toHolder, at, {
      onAccepted() {},
      onReturn: (message) => log.add(message.kind),
      onDrain() {},
      onEnd: (reason) => log.add(reason),
    });
    sender.send(sampleFrame(1));
    await log.count(1);
    return log.events[0]!;
  };
  assert.equal(await firstEvent(one), 'applied');
  assert.match(await firstEvent(null), /UNAVAILABLE/);
  assert.match(await firstEvent(foreign), /UNAVAILABLE/);
  assert.match(
    await firstEvent(three),
    /PERMISSION_DENIED: session 1 is .*of a node that the certificate does not name/,
  );
  const unknowing = await holderOf(two, new Map([[2, 'two']]));
  assert.match(await firstEvent(one, unknowing), /PERMISSION_DENIED: session 1 is not known here/);
  assert.match(await firstEvent(one, await holderOf(three)), /UNAVAILABLE: .*certificate does not name node two/);
});

test('names are those that a certificate has, also where one is written as if it were several', () => {
  assert.deepEqual(dnsNames('DNS:n1, IP Address:10.0.0.1, DNS:n2.example'), ['n1', 'n2.example']);
  assert.deepEqual(dnsNames('URI:"x, DNS:n1, DNS:y", DNS:n3'), ['n3']);
  assert.ok(!dnsNames('DNS:"x, DNS:n1, DNS:y"').includes('n1'));
  assert.deepEqual(dnsNames(''), []);
});
