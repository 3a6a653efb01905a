import assert from 'node:assert/strict';
import { promises } from 'node:dns';
import { networkInterfaces } from 'node:os';
import { mock, type TestContext, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { nodeId, SeededRng, silentLogger } from '@holdfast/model';
import { fastTimes } from './lifeguard/fast-times.test.ts';
import { LifeguardGossip } from './lifeguard/lifeguard-gossip.ts';
import { SwimGossip } from './npm-swim/swim-gossip.ts';
import { clock, fastTimings, metaOf, until } from './npm-swim/test-cluster.test.ts';
import { SeedNames } from './seed-names.ts';

function stubLookup(t: TestContext, lookUp: (host: string) => Promise<{ address: string; family: number }>) {
  const stub = mock.method(promises, 'lookup', lookUp);
  t.after(() => stub.mock.restore());
  return (host: string) => stub.mock.calls.filter((call) => call.arguments[0] === host).length;
}

test('a name has one lookup at a time; the last answer serves, and names of others are not looked up', async (t) => {
  const ends: ((address: string | null) => void)[] = [];
  const lookups = stubLookup(
    t,
    () =>
      new Promise((resolve, reject) => {
        ends.push((address) => (address === null ? reject(new Error('no')) : resolve({ address, family: 6 })));
      }),
  );
  const found: string[] = [];
  let errors = 0;
  let nowMs = 5_000;
  const handlers = {
    onSeedFound: (seed: string, address: string) => found.push(`${seed} ${address}`),
    onError: () => errors++,
  };
  const timers: { readonly dueMs: number; readonly fn: () => void }[] = [];
  const names = new SeedNames(['b.test:1', 'b.test:2', 'c.test:1', '10.0.0.1:1'], 6, handlers, {
    monotonicMs: () => nowMs,
    setTimer(delayMs, fn) {
      timers.push({ dueMs: nowMs + delayMs, fn });
      return () => {};
    },
  });
  const pass = (ms: number) => {
    nowMs += ms;
    for (const timer of timers.splice(0)) timer.dueMs <= nowMs ? timer.fn() : timers.push(timer);
  };
  for (let i = 0; i < 5; i++) assert.equal(names.find('b.test'), null);
  assert.equal(names.find('stranger.test'), null);
  assert.deepEqual(['b.test', 'c.test', 'stranger.test'].map(lookups), [1, 0, 0]);
  ends[0]!('2001:DB8:0::1');
  await turn();
  pass(999);
  assert.equal(names.find('b.test'), '2001:db8::1');
  assert.equal(lookups('b.test'), 1);
  pass(1);
  assert.deepEqual(found, ['b.test:1 [2001:db8::1]:1', 'b.test:2 [2001:db8::1]:2']);
  for (let i = 0; i < 5; i++) assert.equal(names.find('b.test'), '2001:db8::1');
  ends[1]!(null);
  await turn();
  assert.equal(names.find('b.test'), '2001:db8::1');
  assert.deepEqual([lookups('b.test'), errors], [2, 1]);
});

const hasIpv6 = Object.values(networkInterfaces()).some((list) => list?.some(({ address }) => address === '::1'));

for (const [name, Adapter, times] of [
  ['npm swim', SwimGossip, fastTimings],
  ['lifeguard', LifeguardGossip, fastTimes],
] as const) {
  test(`${name}: a seed is found by its name, and not asked for by it once it is known`, async (t) => {
    let ip = '127.0.0.2';
    const lookups = stubLookup(t, async () => ({ address: ip, family: 4 }));
    const start = async (id: string, seeds: readonly string[]) => {
      const options = { id: nodeId(id), meta: metaOf(id), clusterName: 'test', port: 0, seeds, ...times };
      const gossip = new Adapter(options, { clock, rng: new SeededRng(1), logger: silentLogger });
      t.after(() => gossip.stop());
      await gossip.start();
      return gossip;
    };
    const b = await start('b', []);
    const a = await start('a', [`b.test:${b.address!.split(':')[1]}`, 'never.test:1']);
    const isAlone = () => a.members().length === 1;
    await until(
      () => lookups('b.test') > 1,
      10_000,
      () => 'no lookup',
    );
    assert.ok(isAlone());
    ip = '127.0.0.1';
    await until(
      () => !isAlone(),
      10_000,
      () => a.members(),
    );
    const twoMore = async () => {
      const missing = lookups('never.test');
      await until(
        () => lookups('never.test') > missing + 1,
        10_000,
        () => 'no lookup',
      );
    };
    // One may be due yet.
    await twoMore();
    const known = lookups('b.test');
    await twoMore();
    assert.equal(lookups('b.test'), known);
  });

  test(`${name}: an IPv6 address is known in whatever spelling it is given`, { skip: !hasIpv6 }, async (t) => {
    const options = { clusterName: 'test', port: 0, bindHost: '::1', advertiseHost: '0:0:0:0:0:0:0:1', ...times };
    const start = async (id: string, seeds: readonly string[]) => {
      const gossip = new Adapter(
        { id: nodeId(id), meta: metaOf(id), seeds, ...options },
        { clock, rng: new SeededRng(1), logger: silentLogger },
      );
      t.after(() => gossip.stop());
      await gossip.start();
      return gossip;
    };
    const b = await start('b', []);
    assert.match(b.address!, /^\[::1\]:\d+$/);
    const a = await start('a', [b.address!.replace('[::1]', '[0:0::0:1]')]);
    await until(
      () => [a, b].every((gossip) => gossip.members().length === 2),
      10_000,
      () => [a.members(), b.members()],
    );
  });
}
