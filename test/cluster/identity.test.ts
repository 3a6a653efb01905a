import assert from 'node:assert/strict';
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { StatusDocument } from '@holdfast/node';
import { Cluster } from './support/cluster.ts';
import { feed } from './support/feeder.ts';
import { freePorts } from './support/free-ports.ts';
import { holdfast } from './support/holdfast.ts';
import { NodeProcess } from './support/node-process.ts';
import { waitFor } from './support/wait.ts';

const rowOf = (status: StatusDocument, id: string) => status.nodes.find((node) => node.id === id);

const inStatus = (cluster: Cluster, what: string, holds: (status: StatusDocument) => boolean, deadlineMs = 60_000) =>
  waitFor(what, deadlineMs, async () => {
    const status = await cluster.status();
    return status !== null && holds(status) ? status : null;
  });

/** All three have sessions and votes. */
const isWhole = ({ cluster, nodes }: StatusDocument): boolean =>
  cluster.leader !== null && cluster.quorum.reachable === 3 && nodes.filter(({ session }) => session.id).length === 3;

/** A founder that was removed is no node any more, though all configurations name it and gossip remembers it. */
const hasTwoRows = ({ cluster, nodes }: StatusDocument): boolean =>
  cluster.quorum.voters === 2 && nodes.length === 2 && cluster.reasons.every(({ node }) => node === null);

/** It ends by itself with exit code 1; what it last said. */
async function refusal(node: NodeProcess): Promise<string> {
  const before = node.output.length;
  node.start();
  await waitFor(`${node.id} to end`, 60_000, () => (node.running ? null : true));
  assert.equal(node.exitCode, 1, node.output.slice(-2_000));
  return node.output.slice(before).trimEnd().split('\n').at(-1)!;
}

/** The node's names among Raft's members, as the logs of all nodes tell. */
function membersOf(cluster: Cluster, id: string): Set<string> {
  const text = cluster.nodes.map(({ output }) => output).join('');
  return new Set(text.match(new RegExp(`\\b${id}/[0-9a-f]{8}\\b`, 'g')));
}

async function rm(cluster: Cluster, id: string): Promise<void> {
  const { code, stderr } = await holdfast(['node', 'rm', id, '--wait', '60s', '--addr', cluster.addresses.join()]);
  assert.equal(code, 0, stderr);
}

test('F50: a node whose disk was wiped is never the voter that it was, and no record is lost or doubled', {
  timeout: 300_000,
}, async (t) => {
  const cluster = await Cluster.create({ nodes: 3, partitions: 3, settings: { backup: { interval: '5s' } } });
  let failed = true;
  try {
    for (const node of cluster.nodes) node.start();
    await inStatus(cluster, 'three sessions', isWhole);
    let done = () => {};
    const atLeastUntil = new Promise<void>((resolve) => {
      done = resolve;
    });
    const feeding = feed(cluster, { seed: 50, records: 20_000, users: 2_000, overMs: 20_000, atLeastUntil });
    feeding.catch(() => {});
    const n3 = cluster.node('n3');
    const folder = join(cluster.dir, 'nodes/n3');
    const first = membersOf(cluster, 'n3');
    assert.equal(first.size, 1);

    t.diagnostic('the Raft storage alone is lost: it joins by itself, as another member');
    await n3.signal('SIGKILL');
    rmSync(join(folder, 'raft'), { recursive: true });
    n3.start();
    const isReplaced = (): boolean =>
      cluster.nodes.some(({ id, output }) => id !== 'n3' && output.includes(`"removed":["${[...first][0]}"]`));
    await waitFor('its old self to leave', 60_000, () => isReplaced() || null);
    await inStatus(cluster, 'its session and vote', isWhole);
    assert.equal(membersOf(cluster, 'n3').size, 2);

    t.diagnostic('the whole folder is lost: refused until an operator says so');
    await n3.signal('SIGKILL');
    rmSync(folder, { recursive: true });
    assert.match(await refusal(n3), /with another data folder.*holdfast node rm n3, then start this node again/);
    assert.equal((await cluster.status())!.cluster.quorum.voters, 3, 'it took nothing meanwhile');
    await rm(cluster, 'n3');
    await inStatus(cluster, 'two nodes, as n3 was removed', hasTwoRows);
    n3.start();
    await inStatus(cluster, 'its session and vote again', isWhole);
    assert.ok(membersOf(cluster, 'n3').size >= 3);

    done();
    await feeding;
    await cluster.waitUntilCommitted(120_000);
    const codes = await Promise.all(cluster.nodes.map((node) => node.signal('SIGTERM')));
    assert.deepEqual(codes, [0, 0, 0]);
    assert.deepEqual(await cluster.compared(), { lost: 0, duplicates: 0, differences: [] });
    failed = false;
  } finally {
    if (failed) t.diagnostic(`kept: ${cluster.dir}`);
    await cluster.dispose(failed);
  }
});

test('F51: of two nodes with one id the second is refused; a removed node is told so; a draining leader hands on', {
  timeout: 300_000,
}, async (t) => {
  const cluster = await Cluster.create({ nodes: 3, partitions: 3 });
  const other = await twinOf(cluster, 'n3');
  let failed = true;
  try {
    for (const node of cluster.nodes) node.start();
    const begun = await inStatus(cluster, 'three sessions', isWhole);
    const n3 = cluster.node('n3');

    t.diagnostic('on the same data folder, and on another one');
    const twin = new NodeProcess('n3', n3.configPath, join(cluster.dir, 'run/n3-twin.log'));
    assert.match(await refusal(twin), /nodes\/n3 is in use by process \d+/);
    assert.match(await refusal(other), /the cluster knows node n3 with another data folder, so .* is refused/);
    const after = await inStatus(cluster, 'all as before', isWhole);
    assert.equal(rowOf(after, 'n3')!.session.id, rowOf(begun, 'n3')!.session.id, 'the first goes on');

    t.diagnostic('the leader drains');
    const leader = after.cluster.leader!;
    const addr = cluster.addresses.join();
    const drain = await holdfast(['node', 'drain', leader, '--wait', '60s', '--addr', addr]);
    assert.equal(drain.code, 0, drain.stderr);
    await inStatus(
      cluster,
      'another leader',
      (status) => status.cluster.leader !== null && status.cluster.leader !== leader,
    );
    assert.equal((await holdfast(['node', 'resume', leader, '--addr', addr])).code, 0);
    const list = await holdfast(['node', 'ls', '--addr', addr]);
    assert.equal(list.stdout.trimEnd().split('\n').length, 4, list.stdout);
    assert.equal((await holdfast(['node', 'show', 'n9', '--addr', addr])).code, 3);

    t.diagnostic('n3 is removed, and starts again on what it had');
    await rm(cluster, 'n3');
    await waitFor('its process to end', 30_000, () => (n3.running ? null : true));
    assert.equal(n3.exitCode, 0);
    const two = await inStatus(cluster, 'two voters, and no other node', hasTwoRows);
    assert.match(await refusal(n3), /n3 was removed from the cluster.*on a fresh data folder/);
    assert.equal((await cluster.status())!.cluster.term, two.cluster.term, 'nobody was disturbed');
    renameSync(join(cluster.dir, 'nodes/n3'), join(cluster.dir, 'run/n3-old'));
    n3.start();
    await inStatus(cluster, 'three again', isWhole);
    failed = false;
  } finally {
    if (failed) t.diagnostic(`kept: ${cluster.dir}`);
    await other.signal('SIGKILL');
    await cluster.dispose(failed);
  }
});

/** A node of the same name on a data folder and addresses of its own, over the same log and store. */
async function twinOf(cluster: Cluster, id: string): Promise<NodeProcess> {
  const config = JSON.parse(readFileSync(cluster.node(id).configPath, 'utf8'));
  const [control, gossip] = await freePorts(2);
  const self = { id, address: `127.0.0.1:${control}`, gossip: `127.0.0.1:${gossip}` };
  config.cluster.peers = config.cluster.peers.map((peer: { id: string }) => (peer.id === id ? self : peer));
  config.listen = { ...config.listen, control: self.address, gossip: self.gossip };
  config.data = join(cluster.dir, 'run/twin');
  config.log = { dir: join(cluster.dir, 'log') };
  config.store = { dir: join(cluster.dir, 'store') };
  const path = join(cluster.dir, 'run', `${id}-other.json`);
  writeFileSync(path, JSON.stringify(config));
  return new NodeProcess(id, path, join(cluster.dir, 'run', `${id}-other.log`));
}
