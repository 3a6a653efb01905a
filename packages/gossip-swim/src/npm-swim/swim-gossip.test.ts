import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { DatagramSeal } from '../seal/datagram-seal.ts';
import { fastTimings, gossipOf, member, metaOf, sees, TestCluster, until } from './test-cluster.test.ts';

function cluster(t: TestContext): TestCluster {
  const nodes = new TestCluster();
  t.after(() => nodes.stop());
  return nodes;
}

/** A seal that loses everything while its cut is on: the node behind it is cut off both ways. */
function cuttable(): { seal: DatagramSeal; isCut: boolean } {
  const cut = {
    isCut: false,
    seal: {
      overheadBytes: 0,
      seal: (datagram: Uint8Array) => (cut.isCut ? new Uint8Array(1) : datagram),
      open: (sealed: Uint8Array) => (cut.isCut ? null : sealed),
    },
  };
  return cut;
}

describe('gossip of three nodes', () => {
  it('joins, spreads metas and their updates', async (t) => {
    const [a, b, c] = await cluster(t).startThree();
    assert.deepEqual(member(a!, 'c')?.meta, metaOf('c'));
    assert.equal(member(b!, 'c')?.gossipAddress, c!.address);
    const meta = metaOf('b', 1, { version: '0.2.0', shardAddresses: ['127.0.0.1:7499'] });
    b!.updateMeta(meta);
    await until(
      () => [a, b, c].every((node) => member(node!, 'b')?.meta.version === '0.2.0'),
      5000,
      () => [a, b, c].map((node) => member(node!, 'b')?.meta.version),
    );
    assert.deepEqual(member(c!, 'b')?.meta, meta);
    assert.equal(member(c!, 'b')?.state, 'alive');
  });

  it('finds a crashed node dead, after suspicion, and alive again after its restart', async (t) => {
    const nodes = cluster(t);
    const [a, b, c] = await nodes.startThree();
    const port = Number(c!.address!.split(':')[1]);
    const before = member(a!, 'c')!.incarnation;
    const crashedMs = performance.now();
    await c!.stop();
    await sees([a!, b!], { a: 'alive', b: 'alive', c: 'dead' });
    const tookMs = performance.now() - crashedMs;
    assert.ok(tookMs >= fastTimings.suspectTimeoutMs, `dead after ${tookMs} ms, before it could refute`);
    for (const node of [a!, b!]) {
      assert.deepEqual(nodes.kinds(node, 'c').slice(0, 3), ['joined', 'suspected', 'died']);
    }

    const again = await nodes.start('c', { port, seeds: [a!.address!], meta: metaOf('c', 2) });
    await sees([a!, b!, again], { a: 'alive', b: 'alive', c: 'alive' });
    assert.ok(member(b!, 'c')!.incarnation > before);
    assert.equal(member(b!, 'c')!.meta.startCounter, 2);
    assert.ok(nodes.kinds(b!, 'c').includes('restarted'), nodes.kinds(b!, 'c').join());
  });

  it('finds a crash with nobody else to ask', async (t) => {
    const nodes = cluster(t);
    const a = await nodes.start('a');
    const b = await nodes.start('b', { seeds: [a.address!] });
    await sees([a, b], { a: 'alive', b: 'alive' });
    await b.stop();
    await sees([a], { a: 'alive', b: 'dead' });
  });

  it('takes a restarted node in at another address, too', async (t) => {
    const nodes = cluster(t);
    const [a, b, c] = await nodes.startThree();
    await c!.stop();
    const again = await nodes.start('c', { seeds: [a!.address!], meta: metaOf('c', 2) });
    await sees([a!, b!, again], { a: 'alive', b: 'alive', c: 'alive' });
    assert.equal(member(a!, 'c')!.gossipAddress, again.address);
  });

  it('shows a node that said goodbye as left, at once, and never as dead', async (t) => {
    const nodes = cluster(t);
    const [a, b, c] = await nodes.startThree();
    const startMs = performance.now();
    await c!.leave();
    await sees([a!, b!], { a: 'alive', b: 'alive', c: 'left' }, 2000);
    assert.ok(performance.now() - startMs < 2 * fastTimings.suspectTimeoutMs);
    assert.deepEqual(nodes.kinds(a!, 'c'), ['joined', 'left']);
    assert.equal(member(c!, 'c')?.state, 'left');
    const again = await nodes.start('c', { seeds: [b!.address!], meta: metaOf('c', 2) });
    await sees([a!, b!, again], { a: 'alive', b: 'alive', c: 'alive' });
  });
});

describe('gossip over cuts', () => {
  it('merges two groups that began apart', async (t) => {
    const nodes = cluster(t);
    const a = await nodes.start('a');
    const b = await nodes.start('b', { seeds: [a.address!] });
    const c = await nodes.start('c');
    await sees([a, b], { a: 'alive', b: 'alive' });
    await sees([c], { c: 'alive' });
    const d = await nodes.start('d', { seeds: [b.address!, c.address!] });
    await sees([a, b, c, d], { a: 'alive', b: 'alive', c: 'alive', d: 'alive' });
  });

  it('mends a cut that lasted until both sides held each other for dead, with no seed left', async (t) => {
    const cut = cuttable();
    const nodes = cluster(t);
    const introducer = await nodes.start('d');
    const seeds = [introducer.address!];
    const a = await nodes.start('a', { seeds });
    const b = await nodes.start('b', { seeds });
    const c = await nodes.start('c', { seeds, seal: cut.seal });
    await sees([a, b, c], { a: 'alive', b: 'alive', c: 'alive', d: 'alive' });
    await introducer.leave();
    cut.isCut = true;
    await sees([a, b], { a: 'alive', b: 'alive', c: 'dead', d: 'left' });
    await sees([c], { a: 'dead', b: 'dead', c: 'alive', d: 'left' });
    cut.isCut = false;
    await sees([a, b, c], { a: 'alive', b: 'alive', c: 'alive', d: 'left' });
    assert.equal(member(a, 'c')!.meta.startCounter, 1);
  });

  it('finds a seed that starts later', async (t) => {
    const nodes = cluster(t);
    const first = await nodes.start('a');
    const port = Number(first.address!.split(':')[1]);
    await first.stop();
    const b = await nodes.start('b', { seeds: [`127.0.0.1:${port}`] });
    await sees([b], { b: 'alive' });
    const seed = await nodes.start('a', { port, meta: metaOf('a', 2) });
    await sees([b, seed], { a: 'alive', b: 'alive' });
  });

  it('keeps clusters of different names apart', async (t) => {
    const nodes = cluster(t);
    const a = await nodes.start('a');
    const b = await nodes.start('b', { seeds: [a.address!], clusterName: 'other' });
    await until(
      () => a.stats.refusedForeign > 2,
      5000,
      () => a.stats,
    );
    await sees([a], { a: 'alive' });
    await sees([b], { b: 'alive' });
  });
});

describe('gossip of a stalled process', () => {
  it('accuses nobody for its own stalls, one after another (I18)', async (t) => {
    const timings = { intervalMs: 20, pingTimeoutMs: 10, pingReqTimeoutMs: 40, suspectTimeoutMs: 200, beatMs: 10 };
    const nodes = cluster(t);
    const three = await nodes.startThree(() => ({ ...timings, lateMaxMs: 20 }));
    // Probes, their relays and the time to refute all run out in stalls, each of them in another one.
    for (let stall = 0; stall < 8; stall++) {
      const endMs = performance.now() + timings.suspectTimeoutMs + 20;
      while (performance.now() < endMs);
      await nextTurn();
    }
    const acksBefore = three.map((node) => node.stats.acksReceived);
    await until(
      () => three.every((node, i) => node.stats.acksReceived > acksBefore[i]! + 20),
      8000,
      () => three.map((node) => node.stats),
    );
    for (const node of three) {
      assert.ok(node.stats.stalls > 0);
      for (const id of ['a', 'b', 'c']) assert.ok(!nodes.kinds(node, id).includes('died'), `${id} declared dead`);
    }
    assert.ok(three.some((node) => node.stats.verdictsDistrusted > 0));
  });
});

describe('gossip start and stop', () => {
  it('says which address is in use, and may start once it is free', async (t) => {
    const nodes = cluster(t);
    const a = await nodes.start('a');
    const port = Number(a.address!.split(':')[1]);
    const second = gossipOf('b', { port });
    t.after(() => second.stop());
    await assert.rejects(second.start(), { code: 'GOSSIP_PORT_IN_USE', address: a.address });
    await a.stop();
    await second.start();
    assert.equal(second.address, a.address);
  });

  it('says which address is not of this machine', async () => {
    const gossip = gossipOf('a', { bindHost: '203.0.113.1' });
    await assert.rejects(gossip.start(), { code: 'GOSSIP_ADDRESS_UNAVAILABLE', address: '203.0.113.1:0' });
  });

  it('can be stopped at any time, more than once', async () => {
    await gossipOf('a').stop();
    const starting = gossipOf('a');
    const started = starting.start();
    await starting.stop();
    await started;
    await starting.stop();
    const left = gossipOf('a');
    await left.start();
    await left.leave();
    await left.leave();
    assert.equal(left.members()[0]?.state, 'left');
  });

  it('hands nested changes to all listeners in one order', async (t) => {
    const gossip = gossipOf('a');
    t.after(() => gossip.stop());
    const seen: string[] = [];
    gossip.onChange((changes) => {
      seen.push(...changes.map((change) => `1 ${change.kind}`));
      if (changes.some((change) => change.kind === 'joined')) gossip.updateMeta(metaOf('a', 1, { zone: 'z' }));
    });
    const stop = gossip.onChange((changes) => seen.push(...changes.map((change) => `2 ${change.kind}`)));
    await gossip.start();
    assert.deepEqual(seen, ['1 joined', '2 joined', '1 updated', '2 updated']);
    stop();
    gossip.updateMeta(metaOf('a', 1, { zone: 'y' }));
    assert.equal(seen.length, 5);
    assert.throws(() => gossip.updateMeta(metaOf('a', 2)), /start counter/);
  });
});
