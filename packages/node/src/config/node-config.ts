import type { TopicPosition } from '@holdfast/engine';
import type { NodeId } from '@holdfast/model';
import type { RecordLimits } from '@holdfast/processor';
import type { HostPort } from './host-port.ts';
import type { NodeServices } from './service-config.ts';

/** A voter of the cluster as it begins. */
export interface PeerConfig {
  readonly id: NodeId;
  /** host:port of its control service. */
  readonly address: string;
  /** host:port of its gossip. */
  readonly gossipAddress: string;
}

/** Absolute paths of PEM files. */
export interface NodeTlsConfig {
  readonly caFile: string;
  readonly certFile: string;
  readonly keyFile: string;
}

/** What a node runs with: frozen, checked, numbers with their unit in the name, paths absolute. */
export interface NodeConfig extends OwnConfig, NodeServices {}

/** All but log and store. */
export interface OwnConfig {
  readonly nodeId: NodeId;
  /** Null: no label. */
  readonly zone: string | null;
  readonly clusterName: string;
  /** The initial voters, this node included. */
  readonly peers: readonly PeerConfig[];
  readonly dataDir: string;
  readonly listenControl: HostPort;
  readonly listenGossip: HostPort;
  /** Shard n listens on port + n; port 0: on any. */
  readonly listenShards: HostPort;
  readonly listenHttp: HostPort | null;
  /** Of all links between nodes; null: plain. */
  readonly tls: NodeTlsConfig | null;
  readonly gossip: {
    readonly protocol: 'lifeguard' | 'swim';
    /** Absolute path; null: plain datagrams. */
    readonly keysPath: string | null;
    readonly seal: 'strict' | 'accept-plain' | 'send-plain' | 'none';
  };
  readonly shardCount: number;
  readonly job: {
    /** A built-in job's name, or the absolute path of a module. */
    readonly name: string;
    /** Of its first input; null: as the job says. */
    readonly inputTopic: string | null;
    /** A built-in mapping's name, or the absolute path of a file. */
    readonly mapping: string;
  };
  /** Where a job begins that never committed. */
  readonly startPosition: TopicPosition;
  readonly backupIntervalMs: number;
  readonly sessionTtlMs: number;
  readonly sessionRenewMs: number;
  readonly sessionStopMs: number;
  readonly drainDeadlineMs: number;
  readonly limits: RecordLimits;
  readonly fetchBytesMax: number;
  readonly backupRowsMax: number;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
}
