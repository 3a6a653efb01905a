import type { Compression, KafkaClient, SaslOptions } from '@holdfast/stream-kafka';
import { z } from 'zod';
import { count, duration, flag, hostPorts, oneOf, size, text, tlsSettings } from './setting-types.ts';

// Named here again: a command that only checks settings must not load a client for them.
const kafkaClients = ['wire', 'kafkajs'] as const satisfies readonly KafkaClient[];
const compressions = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const satisfies readonly Compression[];
const mechanisms = [
  'PLAIN',
  'SCRAM-SHA-256',
  'SCRAM-SHA-512',
  'OAUTHBEARER',
] as const satisfies readonly SaslOptions['mechanism'][];

const configExpected = 'a list of NAME=VALUE, by the names of Kafka';
const config = z.string({ error: configExpected }).regex(/^[a-z][a-z.]*=.*$/, { error: configExpected });

/** Settings of `log.kind: kafka`. */
export const kafkaSchema = z.strictObject({
  brokers: hostPorts.optional().meta({
    description: 'host:port of some brokers; the others are learned from them',
    reason: 'none: it has to be told',
  }),
  client: oneOf(kafkaClients).default('wire').meta({
    description: "who reads and produces records: holdfast's own protocol layer, or kafkajs",
    reason: 'half the CPU, and a recreated topic is never mistaken (ADR 0016)',
  }),
  clientId: text.default('holdfast').meta({
    description: 'name by which brokers know this client, for their quotas and logs',
    reason: 'tells holdfast from others',
  }),
  ...tlsSettings('kafka', 'Kafka', 'brokers'),
  sasl: oneOf(['none', ...mechanisms])
    .default('none')
    .meta({
      description: 'how this client shows who it is',
      reason: 'as Kafka itself begins',
    }),
  username: text.optional().meta({ description: 'of PLAIN and SCRAM', reason: 'none: it has to be told' }),
  password: text.optional().meta({
    description: 'of PLAIN and SCRAM; better kafka.passwordFile',
    reason: 'none: it has to be told',
    secret: true,
  }),
  passwordFile: text.optional().meta({
    description: 'file that holds the password; read for each connection',
    reason: 'none: it has to be told',
  }),
  tokenFile: text.optional().meta({
    description: 'file that holds the token of OAUTHBEARER; read for each connection',
    reason: 'none: it has to be told',
  }),
  isolation: oneOf(['read_committed', 'read_uncommitted']).default('read_committed').meta({
    description: 'whether records of transactions count only once these are committed',
    reason: 'an aborted record never was',
  }),
  compression: oneOf(compressions).default('none').meta({
    description: 'of outputs and dead letters',
    reason: 'costs a shard nothing; choose lz4 or zstd where the network is dearer',
  }),
  decompressedBytesMax: size.default('64MiB').meta({
    description: 'of one record batch that is read; a larger one stops its partition with RECORDS_CORRUPT',
    reason: 'a few kilobytes can be made to hold gigabytes; no honest producer comes near it',
  }),
  retryTime: duration.default('1m').meta({
    description: 'how long an operation is tried again while brokers are away, before its failure is logged',
    reason: 'outlasts the pause of a partition in a rolling restart',
  }),
  createTopics: flag.default(true).meta({
    description: 'create missing topics (input, outputs, dead letters) at the start',
    reason: 'a first trial works; with false a missing topic is an error that names it',
  }),
  partitions: count(1, 10_000).default(12).meta({
    description: 'partitions of an input topic that has to be created',
    reason: 'readers are shards, and twelve divide well among one to four of them',
  }),
  replication: count(1, 32).optional().meta({
    description: 'replicas of created topics',
    reason: "none: the brokers' default.replication.factor",
  }),
  retention: duration.optional().meta({
    description: 'how long created input and output topics keep records; has to outlast the longest stop',
    reason: "none: the brokers' default",
  }),
  deadLetterRetention: duration.default('30d').meta({
    description: 'how long the dead-letter topic, if it is created, keeps records',
    reason: 'people have to find them, mend the cause, and replay them',
  }),
  topicConfigs: z.array(config, { error: configExpected }).default([]).meta({
    description: 'further settings of created topics, NAME=VALUE, such as min.insync.replicas=2',
    reason: "the brokers' own",
  }),
  connectDeadline: duration.default('2m').meta({
    description: 'how long a start waits for brokers; then the node exits',
    reason: 'covers the restart of a machine; a supervisor starts the node again anyway',
  }),
});
