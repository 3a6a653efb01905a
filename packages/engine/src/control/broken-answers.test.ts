import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nodeId } from '@holdfast/model';
import { type CallMethod, encodeJson, type LeaderReply } from './calls.ts';
import { nobodyFailed } from './cluster-steps.test.ts';
import { LeaderCalls } from './leader-calls.ts';
import { VirtualCluster } from './virtual-cluster.test.ts';
import { MemoryNetwork, VirtualTime } from './virtual-network.test.ts';

async function askedOf(answer: unknown, method: CallMethod): Promise<LeaderReply> {
  const timers = new VirtualTime();
  const transport = { ...new MemoryNetwork(timers).transport('n1'), call: async () => encodeJson(answer) };
  const [self, leader] = [nodeId('n1'), nodeId('n2')];
  const local = async () => encodeJson({ code: 'OK' });
  const calls = new LeaderCalls({ self, leader: () => leader, peers: () => [], local, transport, timers });
  return calls.once(method, new Uint8Array(), 1_000);
}

test('an answer that makes no sense counts as a call that failed; others are taken as they are', async () => {
  const wrong: [CallMethod, unknown][] = [
    ['raft.join', null],
    ['raft.join', 7],
    ['raft.join', 'OK'],
    ['raft.join', []],
    ['raft.join', {}],
    ['raft.join', { code: 'MAYBE' }],
    ['raft.join', { code: 'REFUSED', reason: 'REMOVED' }],
    ['raft.join', { code: 'REFUSED', reason: 7, text: '' }],
    ['raft.join', { code: 'RETRY', text: null }],
    ['raft.join', { code: 'NOT_LEADER', leader: 7 }],
    ['session.open', { code: 'OK' }],
    ['session.open', { code: 'OK', session: 0 }],
    ['session.open', { code: 'OK', session: -1 }],
    ['session.open', { code: 'OK', session: '7' }],
    ['session.renew', { code: 'OK', index: '7' }],
    ['session.renew', { code: 'OK', index: null }],
    ['admin', { code: 'OK', to: null }],
    ['admin', { code: 'OK', from: { nodeId: 'n1' } }],
  ];
  for (const [method, answer] of wrong) {
    assert.equal((await askedOf(answer, method)).code, 'RETRY', `${method} ${JSON.stringify(answer)}`);
  }
  const right: [CallMethod, LeaderReply<{ session?: number; index?: number; more?: number }>][] = [
    ['session.open', { code: 'OK', session: 7 }],
    ['session.renew', { code: 'OK' }],
    ['session.renew', { code: 'OK', index: 0, more: 1 }],
    ['units.acquire', { code: 'OK' }],
    ['session.open', { code: 'REFUSED', reason: 'SUPERSEDED', text: 'a copy' }],
    ['session.open', { code: 'RETRY', text: 'not now', lacks: 'log' }],
    ['session.open', { code: 'NOT_LEADER', leader: null }],
  ];
  for (const [method, answer] of right) assert.deepEqual(await askedOf(answer, method), answer);
});

test('a node whose leader answers nonsense for a while has its session all the same, once that is over', async () => {
  for (const nonsense of [null, { code: 'OK' }, { code: 'OK', session: 'seven' }]) {
    const cluster = new VirtualCluster();
    await cluster.startAll();
    const victim = cluster.nodes.find(({ control }) => !control.isLeader)!;
    await cluster.kill(victim);
    let given = 0;
    cluster.network.rewrite = (method, what, bytes) => {
      if (method !== 'session.open' || what !== 'answer' || given >= 3) return bytes;
      given++;
      return encodeJson(nonsense);
    };
    const back = await cluster.start(victim.id);
    await cluster.until('its session', () => back.control.session !== null && given === 3);
    nobodyFailed(cluster);
  }
});
