import { inputTopic } from '@holdfast/testkit';
import { waitFor } from '../../cluster/support/wait.ts';
import { KafkaAndRedis } from '../harness/kafka-and-redis.ts';
import type { Scenario } from '../harness/scenario.ts';

const rewound = 10_000;
const partitions = 3;
const jobName = 'ledger';
const groupTool = 'org.apache.kafka.tools.consumer.group.ConsumerGroupCommand';

export const rewoundOffsets: Scenario = {
  faults: ['F37'],
  title: 'committed offsets are set back by 10,000',
  injects:
    "with Kafka's own tool while all nodes are down; then, under load, by a commit that looks like the job's, before a " +
    'reader is killed',
  holds: 'I5: what is read again is dropped as duplicate; the commits catch up',
  needs: [],
  cluster: { partitions },
  deadlineMs: 240_000,
  settleMs: 120_000,
  services: KafkaAndRedis.opening(),
  async inject(fire) {
    const { cluster, workload, say, saw } = fire;
    const { kafka, log } = KafkaAndRedis.of(fire);
    say('enough records to go back over');
    await workload.burst(partitions * rewound * 1.2);
    await waitFor('enough commits', 120_000, async () => {
      return (await cluster.progress()).committed.every((offset) => offset > rewound) || null;
    });
    say('all nodes stop');
    await Promise.all(cluster.nodes.map((node) => node.signal('SIGTERM')));
    const { committed } = await cluster.progress();
    const select = ['--bootstrap-server', kafka.plain.join(), '--group', jobName, '--topic', inputTopic];
    await kafka.run(groupTool, [...select, '--reset-offsets', '--shift-by', `-${rewound}`, '--execute']);
    const { committed: back } = await cluster.progress();
    if (back.some((offset, i) => offset !== committed[i]! - rewound))
      throw new Error(`the tool has set ${committed.join()} to ${back.join()}`);
    saw('rewoundByTool', rewound * partitions);
    say(`from ${committed.join()} to ${back.join()}; all nodes start`);
    for (const node of cluster.nodes) node.start();
    await cluster.whole();
    await waitFor('the commits to be back', 90_000, async () => {
      const now = (await cluster.progress()).committed;
      return now.every((offset, i) => offset > committed[i]!) || null;
    });

    const status = await cluster.whole();
    const reader = status.nodes.find(({ shards }) => shards.some((shard) => shard.partitions.length > 0))!;
    const node = cluster.node(reader.id);
    // It stands before it dies: nobody may have begun to read where it was before the offsets are back.
    say(`kill -9 ${node.id}, and its offsets go back by ${rewound} as if it had committed them`);
    await node.signal('SIGSTOP');
    const info = (await log.describe(inputTopic))!;
    const numbers = reader.shards.flatMap((shard) => shard.partitions.map((name) => Number(name.split('/')[1])));
    for (const partition of numbers) {
      const id = { topicId: info.topicId, partition };
      const now = (await log.committed(jobName, id))!;
      await log.commit(jobName, [
        { partition: id, offset: now.offset - rewound, generationId: now.generationId!, fence: 1 },
      ]);
      saw('rewoundUnderLoad', rewound);
    }
    const others = cluster.others(node.id).map(({ id }) => id);
    const { totals } = await cluster.inStatus(
      `a status without ${node.id}`,
      ({ nodes }) => nodes.find(({ id }) => id === node.id)?.reachable === false,
      20_000,
      others,
    );
    await node.signal('SIGKILL');
    node.start();
    await cluster.whole();
    const most = Number(totals.duplicates) + rewound / 2;
    const again = await cluster.inStatus(
      'what is read again to be dropped',
      (now) => Number(now.totals.duplicates) > most,
    );
    saw('droppedAgain', Number(again.totals.duplicates) - Number(totals.duplicates));
  },
};
