import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type NodeId, nodeId } from '@holdfast/model';
import { simpleConf } from '@holdfast/raft';
import { PeerAddresses } from './peer-addresses.ts';

const [n1, n2, n3, n4] = ['n1', 'n2', 'n3', 'n4'].map(nodeId) as [NodeId, NodeId, NodeId, NodeId];
const conf = simpleConf(['n1/a', 'n2/b'], ['n4/d']);
type Table = Parameters<PeerAddresses['all']>[0];
const tableOf = (...sessions: (readonly [NodeId, string])[]): Table => ({
  sessions: () =>
    sessions.map(([id, address]) => ({ nodeId: id, addresses: [address, 'shard'] })).values() as unknown as ReturnType<
      Table['sessions']
    >,
});

test('what is told counts, of whomever, but of this node', () => {
  const peers = new PeerAddresses(n1);
  const told = new Map([n1, n2, n3].map((id) => [id, `told:${id}`]));
  peers.tell(told, new Map([[n2, 'before']]));
  assert.deepEqual(Object.fromEntries(peers.all(tableOf([n2, 'session']), conf)), { n2: 'told:n2', n3: 'told:n3' });
});

test('a member of which nothing is told is where its session says, also once that is over, or where it was last', () => {
  const peers = new PeerAddresses(n1);
  const lastKnown = new Map([n2, n3, n4].map((id) => [id, `before:${id}`]));
  peers.tell(new Map(), lastKnown);
  assert.deepEqual(Object.fromEntries(peers.all(tableOf([n2, 'session'], [n3, 'other']), conf)), {
    n2: 'session',
    n4: 'before:n4',
  });
  assert.deepEqual(Object.fromEntries(peers.all(tableOf(), conf)), { n2: 'session', n4: 'before:n4' });
});

test('who is no member any more is forgotten', () => {
  const peers = new PeerAddresses(n1);
  peers.all(tableOf([n4, 'session']), conf);
  assert.equal(peers.all(tableOf(), simpleConf(['n1/a', 'n2/b'])).size, 0);
  assert.equal(peers.all(tableOf(), conf).size, 0);
});
