import type { Api } from '../wire/api.ts';
import type { WireReader } from '../wire/wire-reader.ts';

export interface CreateTopicRequest {
  readonly topic: string;
  readonly partitions: number;
  /** -1: the broker's default. */
  readonly replicationFactor: number;
  readonly configs: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
}

export interface TopicChange {
  readonly error: number;
  readonly message: string | null;
  readonly id: Buffer;
}

/** One topic was asked for, and what follows its message is of no use here. */
function readChange(r: WireReader): TopicChange {
  r.int32();
  r.uvarint();
  r.compactString();
  const id = Buffer.from(r.uuid());
  return { id, error: r.int16(), message: r.compactString() };
}

/**
 * CreateTopics v7, one topic.
 * [name, partitions INT32, replication INT16, [index, [broker]], [config name, value]], timeout INT32, validate_only
 * => throttle INT32, [name, topic_id UUID, error_code INT16, message, partitions INT32, replication INT16, [configs]]
 */
export const createTopics: Api<CreateTopicRequest, TopicChange> = {
  name: 'CreateTopics',
  key: 19,
  version: 7,
  flexible: true,
  write: (w, { topic, partitions, replicationFactor, configs, timeoutMs }) => {
    w.uvarint(2).compactString(topic).int32(partitions).int16(replicationFactor).uvarint(1);
    w.compactArray(Object.entries(configs), ([name, value]) => w.compactString(name).compactString(value).tags());
    w.tags().int32(timeoutMs).boolean(false).tags();
  },
  read: readChange,
};

/** DeleteTopics v6, one topic, by name. [name, topic_id UUID], timeout INT32 => throttle INT32, [name, topic_id, error, message] */
export const deleteTopics: Api<{ readonly topic: string; readonly timeoutMs: number }, TopicChange> = {
  name: 'DeleteTopics',
  key: 20,
  version: 6,
  flexible: true,
  write: (w, { topic, timeoutMs }) => {
    w.uvarint(2).compactString(topic).uuid(Buffer.alloc(16)).tags().int32(timeoutMs).tags();
  },
  read: readChange,
};
