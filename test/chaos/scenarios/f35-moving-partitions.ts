import type { StatusDocument } from '@holdfast/node';
import { AdminClient } from '@holdfast/transport-grpc';
import { pause } from '../../cluster/support/wait.ts';
import { KafkaAndRedis } from '../harness/kafka-and-redis.ts';
import type { Fire, Scenario } from '../harness/scenario.ts';

const everyMs = 5_000;
const rounds = 9;

const readersOf = ({ nodes }: StatusDocument): Map<string, string> =>
  new Map(nodes.flatMap(({ id, shards }) => shards.flatMap(({ partitions }) => partitions.map((name) => [name, id]))));

async function act({ cluster }: Fire, through: string, kind: 'drainNode' | 'resumeNode', node: string): Promise<void> {
  const client = new AdminClient(cluster.peers.find(({ id }) => id === through)!.address);
  try {
    await client.act({ kind, node });
  } finally {
    client.close();
  }
}

export const movingPartitions: Scenario = {
  faults: ['F35'],
  title: 'partitions and users move every 5 s',
  injects: `one node after the other is drained, and the one before taken back, every ${everyMs} ms, under load`,
  holds: 'I1, I5, I7: whoever reads, each record counts once, in order',
  needs: [],
  deadlineMs: 200_000,
  mustSee: ['cleanEnds', 'moves'],
  services: KafkaAndRedis.opening(),
  async inject(fire) {
    const { cluster, say, saw } = fire;
    let before = readersOf(await cluster.whole());
    let drained: string | null = null;
    for (let round = 0; round < rounds; round++) {
      const next: string = cluster.nodes[round % cluster.nodes.length]!.id;
      const through = cluster.others(next)[0]!.id;
      say(`${next} drains${drained === null ? '' : `, ${drained} is back`}`);
      if (drained !== null) await act(fire, through, 'resumeNode', drained);
      await act(fire, through, 'drainNode', next);
      drained = next;
      await pause(everyMs);
      const now = readersOf(await cluster.inStatus('a status', () => true));
      saw('partitionsMoved', [...now].filter(([name, id]) => before.has(name) && before.get(name) !== id).length);
      before = now;
    }
    await act(fire, cluster.others(drained!)[0]!.id, 'resumeNode', drained!);
    await cluster.whole();
  },
};
