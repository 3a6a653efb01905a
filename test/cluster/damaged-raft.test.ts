import assert from 'node:assert/strict';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { StatusDocument } from '@holdfast/node';
import { Cluster } from './support/cluster.ts';
import { waitFor } from './support/wait.ts';

const inStatus = (cluster: Cluster, what: string, holds: (status: StatusDocument) => boolean) =>
  waitFor(what, 60_000, async () => {
    const status = await cluster.status();
    return status !== null && holds(status) ? status : null;
  });

const sessions = ({ nodes }: StatusDocument): number => nodes.filter(({ session }) => session.id !== null).length;

/** Bends a byte behind each place where the file has this text; how many there were. */
function flipBehind(path: string, text: string): number {
  const bytes = readFileSync(path);
  let count = 0;
  for (let at = bytes.indexOf(text); at >= 0; at = bytes.indexOf(text, at + 1)) {
    bytes[at + text.length]! ^= 0x10;
    count++;
  }
  writeFileSync(path, bytes);
  return count;
}

test('a node on a damaged Raft log says which folder it is and what to do, and ends; moved away, it joins again', {
  timeout: 240_000,
}, async (t) => {
  const cluster = await Cluster.create({ nodes: 3, partitions: 3 });
  let failed = true;
  try {
    for (const node of cluster.nodes) node.start();
    await inStatus(cluster, 'three sessions', (status) => status.cluster.leader !== null && sessions(status) === 3);
    const n3 = cluster.node('n3');
    assert.equal(await n3.signal('SIGTERM'), 0);
    const raft = join(cluster.dir, 'nodes/n3/raft');
    // The sessions' addresses: in the log's entries, which have checksums.
    assert.ok(flipBehind(join(raft, 'data.mdb'), '127.0.0.1:') > 0);

    const before = n3.output.length;
    n3.start();
    await waitFor('n3 to end', 60_000, () => (n3.running ? null : true));
    const said = n3.output.slice(before).trimEnd().split('\n').at(-1)!;
    assert.equal(n3.exitCode, 1, said);
    assert.match(said, /node n3 can't start on its Raft log.*checksum.*move .*\/nodes\/n3\/raft away, and start/);
    const two = await inStatus(cluster, 'the others go on', (status) => sessions(status) === 2);
    assert.equal(two.cluster.quorum.voters, 3);
    assert.equal(two.cluster.quorum.reachable, 2);

    renameSync(raft, join(cluster.dir, 'run/damaged'));
    n3.start();
    await inStatus(
      cluster,
      'its session and vote',
      (status) => status.cluster.quorum.reachable === 3 && sessions(status) === 3,
    );
    failed = false;
  } finally {
    if (failed) t.diagnostic(`kept: ${cluster.dir}`);
    await cluster.dispose(failed);
  }
});
