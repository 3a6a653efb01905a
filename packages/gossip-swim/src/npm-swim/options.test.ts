import assert from 'node:assert/strict';
import { it } from 'node:test';
import { nodeId } from '@holdfast/model';
import { GossipError } from '../errors.ts';
import { nullSeal } from '../seal/datagram-seal.ts';
import { compileSwimGossipOptions, type SwimGossipOptions, swimGossipDefaults } from './options.ts';
import { metaOf } from './test-cluster.test.ts';

const good: SwimGossipOptions = { id: nodeId('a'), meta: metaOf('a'), clusterName: 'test', port: 7500 };

function problemsOf(options: SwimGossipOptions): string[] {
  try {
    compileSwimGossipOptions(options);
    return [];
  } catch (error) {
    assert.ok(error instanceof GossipError && error.failure.code === 'GOSSIP_OPTIONS');
    return error.failure.problems.map((problem) => problem.split(':')[0]!);
  }
}

it('takes the defaults, and binds loopback by them', () => {
  const options = compileSwimGossipOptions(good);
  assert.equal(options.bindHost, '127.0.0.1');
  assert.equal(options.suspectTimeoutMs, swimGossipDefaults.suspectTimeoutMs);
});

it('lists all problems at once', () => {
  const bad = {
    ...good,
    port: 70000,
    intervalMs: 0,
    seeds: ['here'],
    bindHost: 'localhost',
    clusterName: '',
    jitter: 1,
  };
  assert.deepEqual(problemsOf(bad), ['jitter', 'clusterName', 'bindHost', 'seeds[0]', 'port', 'intervalMs']);
});

it('checks how times relate', () => {
  assert.deepEqual(problemsOf({ ...good, pingTimeoutMs: 300 }), ['pingReqTimeoutMs']);
  assert.deepEqual(problemsOf({ ...good, suspectTimeoutMs: 800 }), ['suspectTimeoutMs']);
});

it('wants an address that others can reach', () => {
  assert.deepEqual(problemsOf({ ...good, bindHost: '0.0.0.0' }), ['advertiseHost']);
  assert.deepEqual(problemsOf({ ...good, bindHost: '::' }), ['advertiseHost']);
  assert.deepEqual(problemsOf({ ...good, bindHost: '0.0.0.0', advertiseHost: '10.0.0.1' }), []);
  assert.deepEqual(problemsOf({ ...good, bindHost: '0.0.0.0', advertiseHost: '::1' }), ['advertiseHost']);
});

it('refuses a meta that would not fit a datagram', () => {
  const shardAddresses = Array.from({ length: 60 }, (_, i) => `10.0.0.2:${50_000 + i}`);
  assert.deepEqual(problemsOf({ ...good, meta: metaOf('a', 1, { shardAddresses }) }), ['meta']);
  assert.deepEqual(problemsOf({ ...good, seal: { ...nullSeal, overheadBytes: 1150 } }), ['meta']);
});
