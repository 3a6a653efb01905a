import assert from 'node:assert/strict';
import { promises } from 'node:dns';
import { mock, test } from 'node:test';
import { type Logger, nodeId, SeededRng, silentLogger } from '@holdfast/model';
import { fastTimes } from './lifeguard/fast-times.test.ts';
import { LifeguardGossip } from './lifeguard/lifeguard-gossip.ts';
import { LoopbackWatch } from './loopback-watch.ts';
import { SwimGossip } from './npm-swim/swim-gossip.ts';
import { clock, fastTimings, metaOf, until } from './npm-swim/test-cluster.test.ts';

function recorder(): { readonly logger: Logger; readonly warnings: object[] } {
  const warnings: object[] = [];
  return { logger: { ...silentLogger, warn: (_text, fields) => warnings.push(fields ?? {}) }, warnings };
}

test('a loopback address is warned of once a seed is elsewhere, and only then', () => {
  for (const [told, seeds, expected] of [
    ['127.0.1.1:7401', ['127.0.0.1:7401', 'b.test:7401', '[::1]:7401', '[::ffff:127.0.0.1]:7401'], 0],
    ['127.0.1.1:7401', ['10.0.0.2:7401', '10.0.0.3:7401'], 1],
    ['[::1]:7401', ['[2001:db8::1]:7401'], 1],
    ['10.0.0.1:7401', ['10.0.0.2:7401'], 0],
  ] as const) {
    const { logger, warnings } = recorder();
    const watch = new LoopbackWatch('a.test', told, logger);
    for (const seed of seeds) watch.look(seed);
    assert.equal(warnings.length, expected, `${told} ${seeds}`);
  }
});

for (const [name, Adapter, times] of [
  ['npm swim', SwimGossip, fastTimings],
  ['lifeguard', LifeguardGossip, fastTimes],
] as const) {
  test(`${name}: a node whose own name leads to loopback, and a seed's elsewhere, says so`, async (t) => {
    // An address for documentation: nobody is there.
    const stub = mock.method(promises, 'lookup', async () => ({ address: '192.0.2.1', family: 4 }));
    t.after(() => stub.mock.restore());
    const { logger, warnings } = recorder();
    const names = { bindHost: '0.0.0.0', advertiseHost: 'localhost', seeds: ['b.test:7401'] };
    const options = { id: nodeId('a'), meta: metaOf('a'), clusterName: 'test', port: 0, ...names, ...times };
    const gossip = new Adapter(options, { clock, rng: new SeededRng(1), logger });
    t.after(() => gossip.stop());
    await gossip.start();
    await until(
      () => warnings.length > 0,
      10_000,
      () => gossip.address,
    );
    assert.deepEqual(warnings, [{ configured: 'localhost', told: gossip.address, seed: '192.0.2.1:7401' }]);
  });
}
