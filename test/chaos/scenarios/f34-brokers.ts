import { encodeRecord, inputTopic } from '@holdfast/testkit';
import { pause, waitFor } from '../../cluster/support/wait.ts';
import { KafkaAndRedis } from '../harness/kafka-and-redis.ts';
import type { Fire, Judgement, Scenario } from '../harness/scenario.ts';
import { callsOf, type History } from '../history/read-history.ts';
import { between, oneOf, shuffled } from './draw.ts';

const brokers = [1, 2, 3];
/** A batch is read within milliseconds; backups and commits are 2 s apart. */
const unreadMs = 10_000;
const replaced = 'the input is deleted and created again';
const electionTool = 'org.apache.kafka.tools.LeaderElectionCommand';

/** All replicas of the input have what its leaders have. */
async function inSync(fire: Fire): Promise<void> {
  const { log } = KafkaAndRedis.of(fire);
  await waitFor('replicas in sync', 60_000, async () => {
    const partitions = await log.partitions(inputTopic);
    return partitions.every(({ inSync, leader }) => leader >= 0 && inSync.length === brokers.length) || null;
  });
}

async function leaders(fire: Fire): Promise<string> {
  return (await KafkaAndRedis.of(fire).log.partitions(inputTopic)).map(({ leader }) => leader).join();
}

export const brokersRestarted: Scenario = {
  faults: ['F34'],
  title: 'three brokers are restarted one after the other, leaders move, and in the end the topic is another one',
  injects:
    'SIGTERM or kill -9 of each broker under load, back after 1 to 4 s; leaders moved back to the preferred ones; ' +
    'when all is settled the input is deleted and created again, with other records',
  holds:
    'I5, I6: reading and committing go on; of another topic of the same name nothing is applied or committed, which is ' +
    'told loudly',
  needs: [],
  deadlineMs: 300_000,
  settleMs: 120_000,
  services: KafkaAndRedis.opening({ kafka: { brokers: 3 } }),
  leavesUnread: true,
  mustSee: ['leaderMoves', 'commitsOfTheInput'],
  async inject(fire) {
    const { cluster, rng, say, saw } = fire;
    const services = KafkaAndRedis.of(fire);
    await inSync(fire);
    await cluster.holder();
    for (const broker of shuffled(rng, brokers)) {
      const signal = oneOf(rng, ['SIGTERM', 'SIGKILL'] as const);
      const before = await leaders(fire);
      say(`${signal} of broker ${broker}; leaders are ${before}`);
      await services.kafka.stopBroker(broker, signal);
      await pause(between(rng, 1_000, 4_000));
      await services.startBroker(broker);
      await inSync(fire);
      if ((await leaders(fire)) !== before) saw('leaderMoves');
      saw('brokerRestarts');
    }
    say(`leaders ${await leaders(fire)} move to the preferred ones`);
    const args = ['--bootstrap-server', services.kafka.plain.join(), '--election-type', 'preferred'];
    // Replicas of other topics than the input may not be back yet.
    await waitFor('the preferred leaders to be elected', 60_000, async () => {
      try {
        await services.kafka.run(electionTool, [...args, '--all-topic-partitions']);
        return true;
      } catch (error) {
        if (String(error).includes('could not be elected')) return null;
        throw error;
      }
    });
    await pause(3_000);
    say(`leaders are ${await leaders(fire)}`);
  },
  async after(fire) {
    const { cluster, workload, say, saw } = fire;
    const { log } = KafkaAndRedis.of(fire);
    const { ends } = await cluster.progress();
    const lines = () =>
      cluster.nodes.flatMap(({ output }) => output.match(/"code":"TOPIC_CHANGED"|TOPIC_CHANGED/g) ?? []);
    say(replaced);
    await log.deleteTopic(inputTopic);
    await waitFor('no topic', 30_000, async () => ((await log.describe(inputTopic)) === null ? true : null));
    await log.createTopic(inputTopic, ends.length);
    const value = (key: Uint8Array) => encodeRecord('r', key, 1, 0);
    const records = workload.users.map(({ key }) => ({ key: null, value: value(key) }));
    for (const partition of ends.keys()) await log.append(inputTopic, partition, records);
    saw('recordsOfAnother', ends.length * records.length);
    await waitFor('a loud word of the other topic', 60_000, () => (lines().length > 0 ? true : null));
    saw('toldLoudly');
    await pause(unreadMs);
  },
  judge: (history) => notRead(history),
};

/** Nothing of the other topic is applied, and no offset of it committed. */
function notRead(history: History): Judgement {
  const atUs = history.events.find(({ event }) => event.k === 'fault' && event.text === replaced)?.event.t ?? 0;
  const applied = history.events.filter(({ event }) => event.k === 'apply' && event.t > atUs).length;
  const commits = callsOf(history, 'commit').flatMap(({ asked: { t, commits } }) =>
    commits.map(([topic]) => ({ topic, isLate: t > atUs })),
  );
  const known = new Set(commits.filter(({ isLate }) => !isLate).map(({ topic }) => topic));
  const foreign = commits.filter(({ topic, isLate }) => isLate && !known.has(topic)).length;
  const violations = [
    ...(applied > 0 ? [`${applied} records are applied after the input became another topic`] : []),
    ...(foreign > 0 ? [`${foreign} offsets of the other topic are committed`] : []),
  ];
  return { violations, seen: { commitsOfTheInput: known.size } };
}
