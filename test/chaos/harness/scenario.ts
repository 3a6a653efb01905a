import type { Rng } from '@holdfast/model';
import type { Disks } from '../disk/disks.ts';
import type { History } from '../history/read-history.ts';
import type { ChaosNetwork } from '../network/chaos-network.ts';
import type { ProxiedLinks } from '../network/proxied-links.ts';
import type { ChaosCluster } from './chaos-cluster.ts';
import type { OpenServices } from './services.ts';
import type { Workload, WorkloadPlan } from './workload.ts';

/** What a scenario can't do without; where it is missing the scenario is skipped, loudly. */
export const needs = ['namespaces', 'mounts', 'cgroup', 'compiler'] as const;
export type Need = (typeof needs)[number];

export interface ClusterPlan {
  readonly nodes: number;
  /** So many of them, the last ones, aren't among the founders. */
  readonly joiners: number;
  readonly partitions: number;
  readonly shards: number;
  /** Further settings of every node, as in its file; groups are merged with the harness's. */
  readonly settings: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** Variables of the nodes' environment. */
  readonly env: Readonly<Record<string, string>>;
}

/** What a scenario's injection works with. */
export interface Fire {
  readonly seed: number;
  readonly rng: Rng;
  readonly cluster: ChaosCluster;
  readonly workload: Workload;
  /** Only for scenarios that need `namespaces`. */
  readonly network: ChaosNetwork;
  /** Only for those that are `proxied`. */
  readonly links: ProxiedLinks;
  /** A fault is injected or healed: for people who watch, and into the history. */
  say(text: string): void;
  /** A fact that the scenario counts on, by name. One that stayed 0 fails the run: nothing was shown. */
  saw(name: string, count?: number): void;
}

export interface Judgement {
  readonly violations: readonly string[];
  readonly seen: Readonly<Record<string, number>>;
}

/** One way of hurting a cluster, and what must hold all the while. */
export interface Scenario {
  /** Faults of the list that it stands for, or a name of its own: the first is what it is run by. */
  readonly faults: readonly [string, ...string[]];
  readonly title: string;
  /** What is done, and what must hold, in a line each. */
  readonly injects: string;
  readonly holds: string;
  readonly needs: readonly Need[];
  /** What disks the nodes have, if not the machine's; needs a compiler. */
  readonly disks?: Disks;
  /** All that nodes say to each other goes through the fault proxies; needs namespaces. */
  readonly proxied?: true;
  readonly cluster?: Partial<ClusterPlan>;
  readonly workload?: Partial<WorkloadPlan>;
  /** From the first node's start to the last one's end; the run is ended then. */
  readonly deadlineMs: number;
  /** After the faults: until every record is durable and every user is held (I8). */
  readonly settleMs?: number;
  /** Counters of checkers that must have seen something, or so much, beside those that always must. */
  readonly mustSee?: readonly (string | readonly [name: string, least: number])[];
  /** A process may take so much memory (I21); 700 MiB. */
  readonly rssBytesMax?: number;
  /** `states`: only the users' states and the committed offsets are looked at, for more users than a history can tell of. */
  readonly check?: 'history' | 'states';
  /** Whatever takes the store's place is empty: no replica, no older file. */
  readonly storesBeginEmpty?: true;
  /** Other log and store than the embedded ones. */
  readonly services?: OpenServices;
  /** Nodes end by themselves, and the scenario looks at how; in all others none may. */
  readonly nodesEnd?: true;
  /** Before the first node starts. */
  prepare?(fire: Fire): Promise<void>;
  /** Runs under load, and leaves everything healed. */
  inject(fire: Fire): Promise<void>;
  /** Afterwards there are records in the input that nobody may read. */
  readonly leavesUnread?: true;
  /** Looks once more when all is settled, before the nodes are stopped. */
  after?(fire: Fire): Promise<void>;
  /** Looks at the whole history, beside the checkers. */
  judge?(history: History): Judgement;
}

/** The name by which it is run. */
export function nameOf({ faults }: Pick<Scenario, 'faults'>): string {
  return faults[0];
}
