import assert from 'node:assert/strict';
import { test } from 'node:test';
import { knownNodes, type NodeSources } from './known-nodes.ts';

const configured = ['n1', 'n2', 'n3'].map((id) => ({ id, address: `${id}:7400` }));
const nobody = { voters: [], votersOutgoing: [], learners: [] };
const founded = { ...nobody, voters: ['n1', 'n2', 'n3'] };
const gossip = (states: Readonly<Record<string, NodeSources['gossip'][number]['state']>>) =>
  Object.entries(states).map(([id, state]) => ({ id, state, meta: { peerAddress: `${id}:7500` } }));

function known(given: Partial<NodeSources>): Record<string, string> {
  return Object.fromEntries(knownNodes({ self: 'n1', configured, raft: founded, sessions: [], gossip: [], ...given }));
}

test('before the founding the configured nodes are those that there are to be', () => {
  assert.deepEqual(Object.keys(known({ raft: nobody })), ['n1', 'n2', 'n3']);
});

test('a configured node that was removed is no row, whatever gossip remembers of it', () => {
  const raft = { ...nobody, voters: ['n1', 'n2'] };
  for (const state of ['dead', 'left'] as const) {
    assert.deepEqual(Object.keys(known({ raft, gossip: gossip({ n1: 'alive', n2: 'alive', n3: state }) })), [
      'n1',
      'n2',
    ]);
  }
});

test('a member that is dead or unheard of stays one, and so does who has a session, is being replaced, or runs', () => {
  assert.deepEqual(known({ gossip: gossip({ n1: 'alive', n3: 'dead' }) }), {
    n1: 'n1:7500',
    n2: 'n2:7400',
    n3: 'n3:7500',
  });
  const raft = { voters: ['n1'], votersOutgoing: ['n2'], learners: ['n4'] };
  const sessions = [{ nodeId: 'n3', peerAddress: 'n3:7600' }];
  assert.deepEqual(known({ raft, sessions, gossip: gossip({ n5: 'alive', n6: 'suspect' }) }), {
    n1: 'n1:7400',
    n2: 'n2:7400',
    n3: 'n3:7600',
    n4: '',
    n5: 'n5:7500',
    n6: 'n6:7500',
  });
});

test('the node that is asked is a row, also once it was removed', () => {
  assert.deepEqual(Object.keys(known({ self: 'n3', raft: { ...nobody, voters: ['n1', 'n2'] } })), ['n1', 'n2', 'n3']);
});
