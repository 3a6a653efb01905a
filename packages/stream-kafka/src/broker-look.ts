import { errorText } from '@holdfast/model';
import { findCoordinator } from './apis/find-coordinator.ts';
import { metadata, type TopicMetadata } from './apis/metadata.ts';
import type { KafkaCluster } from './cluster.ts';
import { brokerError, KafkaError } from './errors.ts';
import { brokerErrors } from './wire/broker-errors.ts';

/** What a job has in the log. */
export interface LookedAt {
  /** At least one; the first has to be answered for each time. */
  readonly topics: readonly string[];
  readonly group: string;
}

/**
 * One look in so many asks all brokers that are needed. A node looks every two seconds: so nodes miss a broker that dies
 * within ten seconds of each other, far less than one of them may lack it alone before its session ends (ADR 24).
 */
const wholeEvery = 5;

/**
 * What a node asks Kafka over and over, to see whether it is there: any broker for a topic; now and then, and until all
 * is well again, each one that leads a partition of the job or keeps its offsets. One of those can't be stood in for: who
 * can't reach it holds up all that goes there. One that is needed for nothing, or that is away for everybody, so that
 * others lead in its place or nobody does, is not asked.
 */
export function brokerLook(cluster: KafkaCluster, { topics, group }: LookedAt): () => Promise<void> {
  let looks = 0;
  let isWell = false;
  return async () => {
    const isWhole = !isWell || looks % wholeEvery === 0;
    looks++;
    isWell = false;
    const found = await describe(cluster, isWhole ? topics : topics.slice(0, 1));
    if (isWhole) await allAnswer(cluster, await neededBrokers(cluster, found, group));
    isWell = true;
  };
}

/** By the broker whose turn it is. @throws KafkaError */
async function describe(cluster: KafkaCluster, names: readonly string[]): Promise<readonly TopicMetadata[]> {
  const asked = [...new Set(names)].map((name) => ({ name }));
  const { brokers, topics } = await cluster.metadata(asked, undefined, 'look');
  if (brokers.length === 0) throw new KafkaError('UNREACHABLE', 'the broker that was asked knows of no brokers yet');
  const first = topics.find(({ name }) => name === names[0]);
  const error = first?.error ?? 0;
  if (error !== 0 && error !== brokerErrors.unknownTopicOrPartition) throw brokerError(`topic ${names[0]}`, error);
  return topics;
}

/** What each broker is needed for. */
async function neededBrokers(
  cluster: KafkaCluster,
  topics: readonly TopicMetadata[],
  group: string,
): Promise<Map<number, string>> {
  const needed = new Map<number, string>();
  for (const { name, partitions } of topics)
    for (const { leader, partition } of partitions)
      if (!needed.has(leader)) needed.set(leader, `leads ${name}/${partition}`);
  const coordinator = await cluster.askAny(findCoordinator, group, undefined, 'look');
  if (coordinator?.error === 0 && !needed.has(coordinator.nodeId))
    needed.set(coordinator.nodeId, `keeps the offsets of group ${group}`);
  // Whom nobody lists, or where there is none, nobody has.
  for (const nodeId of needed.keys()) if (!cluster.knows(nodeId)) needed.delete(nodeId);
  return needed;
}

/** @throws KafkaError naming those that don't */
async function allAnswer(cluster: KafkaCluster, needed: ReadonlyMap<number, string>): Promise<void> {
  const asked = [...needed].map(async ([nodeId, what]): Promise<string | null> => {
    try {
      await cluster.ask(nodeId, metadata, [], 'look');
      return null;
    } catch (error) {
      return `broker ${nodeId}, which ${what}, does not answer this node: ${errorText(error)}`;
    }
  });
  const silent = (await Promise.all(asked)).filter((text) => text !== null);
  if (silent.length > 0) throw new KafkaError('UNREACHABLE', silent.join('; '));
}
