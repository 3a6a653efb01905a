import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { KafkaLog } from '@holdfast/stream-kafka';
import { partitionOf, textRecords } from '@holdfast/testkit';
import kafkajs from 'kafkajs';
import { freePorts } from '../cluster/support/free-ports.ts';
import { holdfast, startHoldfast } from '../cluster/support/holdfast.ts';
import { waitFor } from '../cluster/support/wait.ts';
import { KafkaService } from './kafka.ts';
import { serviceFolder } from './redis-server.ts';

const job = 'access-anomaly';
const topic = 'access-log';
/** No job can process it: that it was read is seen by its letter. */
const bad = textRecords(['{bad']);

async function addPartitions(kafka: KafkaService, count: number): Promise<void> {
  const admin = new kafkajs.Kafka({ brokers: kafka.plain, logLevel: kafkajs.logLevel.NOTHING }).admin();
  await admin.connect();
  await admin.createPartitions({ topicPartitions: [{ topic, count }] });
  await admin.disconnect();
}

async function allCommitted(log: KafkaLog, partitions: number): Promise<void> {
  await waitFor(`all of ${partitions} partitions to be committed`, 120_000, async () => {
    const lags = await log.lag(job, topic);
    return (lags.length === partitions && lags.every(({ committed, end }) => committed === end)) || null;
  });
}

/** Of the records that became letters: partition and offset, sorted. */
async function read(configPath: string): Promise<string[]> {
  const { code, stdout, stderr } = await holdfast(['dlq', 'ls', '--config', configPath, '-o', 'json']);
  assert.equal(code, 0, stderr);
  const { letters } = JSON.parse(stdout) as { letters: { from: { partition: number; offset: string } }[] };
  return letters.map(({ from }) => `${from.partition}@${from.offset}`).sort();
}

test('a job that begins at latest reads all of a partition that its topic got later', {
  timeout: 600_000,
}, async () => {
  const folder = serviceFolder('start-position');
  const kafka = await KafkaService.start();
  const log = await kafka.open();
  const [control, gossip] = (await freePorts(2)) as [number, number];
  const configPath = join(folder.dir, 'node.json');
  const config = {
    node: { id: 'n1' },
    data: join(folder.dir, 'data'),
    listen: { control: `127.0.0.1:${control}`, gossip: `127.0.0.1:${gossip}`, http: 'off' },
    shards: 1,
    job: { start: 'latest' },
    log: { kind: 'kafka' },
    kafka: { brokers: kafka.plain },
  };
  writeFileSync(configPath, JSON.stringify(config));
  let node = null as ReturnType<typeof startHoldfast> | null;
  try {
    const info = await log.createTopic(topic, 2);
    for (const partition of [0, 1]) await log.append(topic, partition, bad);
    node = startHoldfast(['node', '--config', configPath]);
    await allCommitted(log, 2);
    node.child.kill('SIGTERM');
    assert.equal((await node.result).code, 0);
    await addPartitions(kafka, 3);
    for (const partition of [0, 2]) await log.append(topic, partition, bad);
    node = startHoldfast(['node', '--config', configPath]);
    await allCommitted(log, 3);
    assert.deepEqual(await read(configPath), ['0@1', '2@0']);
    assert.equal((await log.committed(job, partitionOf(info, 1)))?.offset, 1);
  } finally {
    node?.child.kill('SIGKILL');
    await node?.result;
    await log.close();
    await kafka.stop();
    folder.remove();
  }
});
