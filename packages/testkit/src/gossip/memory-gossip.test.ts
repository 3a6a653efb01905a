import { nodeId, SeededRng } from '@holdfast/model';
import { ImmediateTime } from '../network-time.ts';
import { gossipConformance } from './gossip-conformance.ts';
import { MemoryGossip, MemoryGossipNetwork } from './memory-gossip.ts';

gossipConformance('memory', () => {
  const time = new ImmediateTime();
  const network = new MemoryGossipNetwork(time);
  const rng = new SeededRng(1);
  return {
    create: ({ name, ...options }) => new MemoryGossip({ id: nodeId(name), network, rng, ...options }),
    async until(condition, describe) {
      for (let i = 0; !condition(); i++) {
        if (i > 2_000) throw new Error(`not within 100 virtual seconds: ${JSON.stringify(describe())}`);
        await time.pass(50);
      }
    },
  };
});
