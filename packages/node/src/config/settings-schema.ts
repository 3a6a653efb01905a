import { availableParallelism } from 'node:os';
import { z } from 'zod';
import { hostPortExpected } from './host-port.ts';
import { kafkaSchema } from './kafka-schema.ts';
import { redisSchema } from './redis-schema.ts';
import { count, duration, hostPort, nodeName, oneOf, peerAddress, size, text } from './setting-types.ts';

export const peerExpected =
  'a list of {id, address: host:port, gossip: host:port}, or ID=ADDRESS/GOSSIP,... in one line';
const startExpected = 'earliest, latest, or a time such as 2026-01-31T00:00:00Z';
// The kinds name it too: a union passes on what the only kind of the value's type has to say.
const startPosition = z.union(
  [z.enum(['earliest', 'latest'], { error: startExpected }), z.iso.datetime({ offset: true, error: startExpected })],
  { error: startExpected },
);
const peer = z.strictObject(
  {
    id: nodeName,
    address: peerAddress.meta({ description: 'host:port of its control service, as the others reach it' }),
    gossip: peerAddress.meta({ description: 'host:port (UDP) of its gossip, as the others reach it' }),
  },
  { error: (issue) => (issue.code === 'unrecognized_keys' ? `id, address and gossip only` : peerExpected) },
);

/**
 * Every setting of a node, once: types, defaults with their reasons, the JSON Schema and the reference page come from
 * here. A setting's path is its name: `session.ttl` = `--session-ttl` = `HOLDFAST_SESSION_TTL`.
 */
export const settingsSchema = z.strictObject({
  node: z.strictObject({
    id: nodeName.meta({
      description: 'name of this node, unique in the cluster and the same at each start',
      reason: 'no default: two nodes of one name would refuse each other',
    }),
    zone: nodeName.optional().meta({
      description: 'what fails together with this node, such as a rack: voters are spread over zones',
      reason: 'none: every node counts as a zone of its own',
    }),
  }),
  cluster: z.strictObject({
    name: nodeName.default('holdfast').meta({
      description: 'name of the cluster; gossip of other clusters is passed over',
      reason: 'one cluster per network is the common case',
    }),
    peers: z.array(peer, { error: peerExpected }).default([]).meta({
      description: 'the initial voters, this node included, the same list on each of them',
      reason: 'empty: a cluster of this node alone',
    }),
  }),
  data: text.default('holdfast-data').meta({
    description: 'data folder; nodes of one machine may share it',
    reason: 'beside where the program was started, never a temporary folder: it holds votes',
  }),
  listen: z.strictObject({
    control: hostPort.default('127.0.0.1:7400').meta({
      description:
        'peers and commands (gRPC); on 0.0.0.0 or [::] others are told the host that cluster.peers has for this node',
      reason: 'nobody outside this machine can speak to a node that was given no address',
    }),
    gossip: hostPort
      .default('127.0.0.1:7401')
      .meta({ description: 'gossip (UDP), an IP address; else as listen.control', reason: 'as listen.control' }),
    shards: hostPort.default('127.0.0.1:0').meta({
      description: 'record streams (gRPC): shard n listens on port + n; port 0 takes free ones; host as listen.control',
      reason: 'the ports are in the lease table, so nobody has to know them beforehand',
    }),
    http: z
      .union([z.literal('off'), hostPort], { error: `${hostPortExpected}, or off` })
      .default('127.0.0.1:7402')
      .meta({ description: 'health and metrics (HTTP), or off', reason: 'as listen.control' }),
  }),
  tls: z.strictObject({
    ca: text.optional().meta({
      description:
        "file of who signs the certificates of this cluster's nodes and operators, and of nobody else (PEM): with tls.cert and tls.key, all links between nodes are TLS, with certificates on both sides",
      reason: 'none: plain links, for one machine or a trusted network',
    }),
    cert: text.optional().meta({
      description: "file of this node's certificate (PEM); its DNS names have node.id",
      reason: 'as tls.ca',
    }),
    key: text.optional().meta({ description: 'file of its key (PEM), without a passphrase', reason: 'as tls.ca' }),
  }),
  gossip: z.strictObject({
    protocol: oneOf(['lifeguard', 'swim']).default('lifeguard').meta({
      description: "who is there, by holdfast's own SWIM core or by npm swim; the same on all nodes",
      reason: 'suspects far fewer living nodes under loss and starvation (ADR 0010), and is simulated',
    }),
    keys: text.optional().meta({
      description:
        'file with the keys of gossip: 32 bytes in base64 per line, the first seals, all open; read again when it changes',
      reason: 'none: plain datagrams, for one machine; beyond it they have to be asked for by gossip.seal none',
    }),
    seal: oneOf(['strict', 'accept-plain', 'send-plain', 'none']).default('strict').meta({
      description:
        'with keys: from plain to sealed in three steps, send-plain, accept-plain, strict, each on all nodes; none, without keys: plain datagrams are wanted',
      reason: 'strict: nothing unsealed is believed, for anybody who can send to the port could lie about who is there',
    }),
  }),
  shards: count(1, 256)
    .default(() => Math.max(1, availableParallelism() - 1))
    .meta({ description: 'worker threads for records', reason: 'cores - 1: the control thread must stay responsive' }),
  job: z.strictObject({
    name: text.default('access-anomaly').meta({
      description: 'a built-in job, or the path of a module whose default export is a processor',
      reason: 'the application that ships with holdfast',
    }),
    input: text.optional().meta({
      description: "topic of the job's input, of the first one where it has several",
      reason: 'none: the topic that the job itself names',
    }),
    start: startPosition.default('earliest').meta({
      description:
        'where a job begins that never committed, in partitions that are there then: earliest, latest, or records from a time on',
      reason: 'nothing that is there is left out',
    }),
    mapping: text.default('holdfast').meta({
      description: 'format of the records: a built-in mapping or a YAML or JSON file',
      reason: "the project's own format; also what the generator writes",
    }),
  }),
  log: z.strictObject({
    kind: oneOf(['embedded', 'kafka']).default('embedded').meta({
      description: 'where records come from',
      reason: 'needs nothing else on the machine',
    }),
    dir: text.optional().meta({ description: 'folder of the embedded log', reason: 'default: log below data' }),
  }),
  kafka: kafkaSchema,
  store: z.strictObject({
    kind: oneOf(['embedded', 'redis']).default('embedded').meta({
      description: 'where states are backed up',
      reason: 'needs nothing else on the machine',
    }),
    dir: text.optional().meta({ description: 'folder of the embedded store', reason: 'default: store below data' }),
  }),
  redis: redisSchema,
  backup: z.strictObject({
    interval: duration.default('30s').meta({
      description: 'time between two backups of a changed state',
      reason: 'a crash costs the replay of so much; each round writes every changed state once',
    }),
  }),
  session: z.strictObject({
    ttl: duration.default('12s').meta({
      description: "how long a node's rights outlive its last renewal",
      reason: 'longer than a pause of 9 s (garbage collection, election, a stalled disk)',
    }),
    renew: duration.default('3s').meta({
      description: 'time between renewals; at most a third of session.ttl',
      reason: 'three attempts fail before the session ends',
    }),
    stop: duration.default('9s').meta({
      description:
        'without a renewal for so long a node stops by itself; at most nine tenths of session.ttl, and the same on all nodes',
      reason: '3 s before the others may take over, by its own clock',
    }),
  }),
  drain: z.strictObject({
    deadline: duration.default('2m').meta({
      description: 'SIGTERM: after this the node ends as it is; what it has not handed over is replayed',
      reason: 'a million leases take about half a minute; tell the service manager to wait longer than this',
    }),
  }),
  limits: z.strictObject({
    frameRecords: count(1, 65_536).default(256).meta({ description: 'records in a frame', reason: 'flat beyond 256' }),
    frameBytes: size
      .default('256KiB')
      .meta({ description: 'bytes in a frame', reason: 'a frame fits any send window' }),
    framesInFlight: count(1, 65_536).default(64).meta({
      description: 'frames of one stream not yet applied; then its partitions pause',
      reason: '16,000 records hide 50 ms of latency at 300,000 records/s',
    }),
    bytesInFlight: size.default('8MiB').meta({ description: 'bytes of those frames', reason: 'memory per stream' }),
    parkedRecords: count(1, 10_000_000).default(65_536).meta({
      description: 'records of a shard that wait for a holder; then their partitions pause',
      reason: 'a new grant takes a few milliseconds; a failover may take seconds, and then pausing is right',
    }),
    parkedBytes: size.default('64MiB').meta({ description: 'bytes of those records', reason: 'memory per shard' }),
    outputsUnacked: count(1, 10_000_000).default(65_536).meta({
      description: 'outputs that the log has not acknowledged; then frames wait',
      reason: 'memory per shard',
    }),
    outputBytes: size
      .default('64MiB')
      .meta({ description: 'bytes of those that wait to be sent', reason: 'memory per shard' }),
    fetchBytes: size
      .default('256KiB')
      .meta({ description: 'read from the log at once', reason: 'about 1,000 records' }),
    backupRows: count(1, 65_536).default(512).meta({
      description: 'rows in one call to the store',
      reason: 'more is cheaper per row, but longer in one transaction',
    }),
  }),
  logging: z.strictObject({
    level: oneOf(['debug', 'info', 'warn', 'error']).default('info').meta({
      description: 'least level of log lines (NDJSON on stdout)',
      reason: 'info tells of changes only, never of records',
    }),
  }),
});

/** The settings as written, every group present. */
export type Settings = z.output<typeof settingsSchema>;
