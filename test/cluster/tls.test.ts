import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { StatusDocument } from '@holdfast/node';
import { AdminClient } from '@holdfast/transport-grpc';
import { Authority, type CertificatePaths } from '../../packages/transport-grpc/fixtures/authority.ts';
import { Cluster } from './support/cluster.ts';
import { feed } from './support/feeder.ts';
import { holdfast } from './support/holdfast.ts';
import type { NodeProcess } from './support/node-process.ts';
import { waitFor } from './support/wait.ts';

const folder = mkdtempSync(join(tmpdir(), 'holdfast-cluster-tls-'));
after(() => rmSync(folder, { recursive: true }));

const ours = Authority.create(folder, 'ours');
const stranger = Authority.create(folder, 'stranger');
const next = Authority.create(folder, 'next');
/** As in the midst of a change from one authority to the next. */
const bothPath = join(folder, 'both.pem');
writeFileSync(bothPath, ['ours', 'next'].map((name) => readFileSync(join(folder, `${name}.pem`))).join(''));
const issue = (by: Authority, file: string, id: string): CertificatePaths => ({
  ...by.issue(file, `subjectAltName=DNS:${id}`),
  ca: bothPath,
});
const issued = new Map(['n1', 'n2', 'n3'].map((id) => [id, issue(ours, id, id)]));
const operator = ours.issue('operator', 'extendedKeyUsage=clientAuth');
const tls = { of: (id: string) => issued.get(id)!, operator };

const flagsOf = ({ ca, cert, key }: CertificatePaths) => ['--tls-ca', ca, '--tls-cert', cert, '--tls-key', key];

const isServed = (status: StatusDocument | null, nodes: number): StatusDocument | null =>
  (status?.nodes.filter(({ member, session }) => member === 'alive' && session.id !== null).length ?? 0) === nodes
    ? status
    : null;

async function askPlainly(address: string): Promise<unknown> {
  const client = new AdminClient(address);
  try {
    return await client.status();
  } finally {
    client.close();
  }
}

/** From now on it shows these. */
function recertify({ configPath }: NodeProcess, certificate: CertificatePaths): void {
  const config = JSON.parse(readFileSync(configPath, 'utf8'));
  writeFileSync(configPath, JSON.stringify({ ...config, tls: certificate }));
}

test('nodes with certificates take records and pass them on, and tell only who has one', {
  timeout: 240_000,
}, async (t) => {
  const cluster = await Cluster.create({ nodes: 3, partitions: 3, settings: { backup: { interval: '2s' } }, tls });
  let failed = true;
  try {
    for (const node of cluster.nodes) node.start();
    await waitFor('three nodes', 60_000, async () => isServed(await cluster.status(), 3));
    await feed(cluster, { seed: 7, records: 2_000, users: 300, overMs: 2_000 });
    await cluster.waitUntilCommitted(60_000);
    const status = (await cluster.status())!;
    assert.ok(Number(status.totals.forwarded) > 0, 'records went between nodes');
    const addresses = status.nodes.flatMap(({ addr, shards }) => [addr, ...shards.map(({ address }) => address!)]);
    assert.equal(addresses.length, 6);
    for (const address of addresses) await assert.rejects(askPlainly(address), /wants a client's certificate/);

    t.diagnostic('the commands, with and without certificates');
    const addr = ['--addr', cluster.addresses[0]!];
    const shown = await holdfast(['node', 'ls', ...addr, ...flagsOf(operator)]);
    assert.equal(shown.code, 0, shown.stderr);
    assert.equal(shown.stdout.trimEnd().split('\n').length, 4, shown.stdout);
    const users = await holdfast(['export', ...addr, ...flagsOf(operator)]);
    assert.equal(users.stdout.trimEnd().split('\n').length, (await cluster.exported()).length);
    const none = await holdfast(['status', ...addr]);
    assert.equal(none.code, 1);
    assert.match(none.stderr, /it wants a client's certificate \(--tls-ca, --tls-cert, --tls-key\), or not this one/);
    const other = stranger.issue('operator2', 'extendedKeyUsage=clientAuth');
    const refused = await holdfast(['status', ...addr, ...flagsOf({ ...other })]);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /its certificate is refused: /);
    const drained = await holdfast(['node', 'drain', 'n2', '--wait', '60s', ...addr, ...flagsOf(operator)]);
    assert.equal(drained.code, 0, drained.stderr);
    assert.equal((await holdfast(['node', 'resume', 'n2', ...addr, ...flagsOf(operator)])).code, 0);

    t.diagnostic("a node with another node's certificate says so, and does not start");
    const n3 = cluster.node('n3');
    await n3.signal('SIGTERM');
    recertify(n3, issued.get('n2')!);
    n3.start();
    await waitFor('n3 to end', 30_000, () => (n3.running ? null : true));
    assert.equal(n3.exitCode, 1);
    assert.match(
      n3.output,
      /tls\.cert: .*n2\.pem does not name this node: it has the DNS names n2, and node\.id is n3/,
    );

    t.diagnostic('a node of another authority is let in by nobody, and its log says why');
    recertify(n3, stranger.issue('n3-strange', 'subjectAltName=DNS:n3'));
    const before = n3.output.length;
    n3.start();
    const isSaid = (line: string) =>
      line.includes('session not open yet') && line.includes('its certificate is refused');
    await waitFor('n3 to say it', 60_000, () => n3.output.slice(before).split('\n').some(isSaid) || null);
    const row = await waitFor('the others to say it', 60_000, async () => {
      const status = await cluster.status();
      return status?.nodes.find(({ id, error }) => id === 'n3' && /certificate/.test(error ?? '')) ?? null;
    });
    assert.deepEqual([row.reachable, row.session.id], [false, null]);

    t.diagnostic('with a certificate of the next authority, which all have too, it is back');
    await n3.signal('SIGKILL');
    recertify(n3, issue(next, 'n3-next', 'n3'));
    n3.start();
    await waitFor('three nodes again', 90_000, async () => isServed(await cluster.status(), 3));
    await feed(cluster, { seed: 8, records: 1_000, users: 300, overMs: 1_000 });
    await cluster.waitUntilCommitted(60_000);
    await Promise.all(cluster.nodes.map((node) => node.signal('SIGTERM')));
    assert.deepEqual(await cluster.compared(), { lost: 0, duplicates: 0, differences: [] });
    failed = false;
  } finally {
    if (failed) t.diagnostic(`kept: ${cluster.dir}`);
    await cluster.dispose(failed);
  }
});
