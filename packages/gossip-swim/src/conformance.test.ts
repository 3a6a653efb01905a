import { setTimeout as sleep } from 'node:timers/promises';
import { type Clock, nodeId, SeededRng, silentLogger } from '@holdfast/model';
import { gossipConformance } from '@holdfast/testkit';
import { fastTimes } from './lifeguard/fast-times.test.ts';
import { LifeguardGossip } from './lifeguard/lifeguard-gossip.ts';
import { SwimGossip } from './npm-swim/swim-gossip.ts';
import { fastTimings } from './npm-swim/test-cluster.test.ts';
import { KeyRing } from './seal/key-ring.ts';
import { SealedDatagrams } from './seal/sealed-datagrams.ts';

const clock: Clock = { monotonicMs: () => performance.now(), wallUnixMs: () => Date.now() };
const secret = new Uint8Array(32).fill(7);

async function until(condition: () => boolean, describe: () => unknown): Promise<void> {
  const endMs = performance.now() + 15_000;
  while (!condition()) {
    if (performance.now() > endMs) throw new Error(`not within 15 s: ${JSON.stringify(describe())}`);
    await sleep(5);
  }
}

for (const sealed of [false, true]) {
  for (const [name, adapter, times] of [
    ['npm swim', SwimGossip, fastTimings],
    ['lifeguard', LifeguardGossip, fastTimes],
  ] as const) {
    gossipConformance(`${name}, ${sealed ? 'sealed' : 'plain'}`, () => ({
      create: ({ name, meta, seeds, address }) => {
        const id = nodeId(name);
        const seal = sealed ? { seal: new SealedDatagrams(new KeyRing([secret]), 'test', { id, ...meta }) } : {};
        const port = address === undefined ? 0 : Number(address.split(':')[1]);
        const options = { id, meta, clusterName: 'test', port, seeds, ...times, ...seal };
        return new adapter(options, { clock, rng: new SeededRng(name.charCodeAt(0)), logger: silentLogger });
      },
      until,
    }));
  }
}
