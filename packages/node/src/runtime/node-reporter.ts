import type { ControlPlane, Gossip, Leadership, ServiceWatch, ShardStatName } from '@holdfast/engine';
import type { NodeConfig } from '../config/node-config.ts';
import type { NodeReport, ShardReport, TableFacts } from '../status/node-report.ts';
import { RateMeter } from '../status/rate-meter.ts';
import type { ProcessMeter } from './process-meter.ts';
import { showKey } from './user-lookup.ts';

const sampleMs = 500;
const windowMs = 3_000;
const rated = ['recordsRead', 'recordsApplied', 'recordsForwarded'] as const;

/** Makes this node's report: what it says of itself in a cluster's status. */
export class NodeReporter {
  readonly #config: NodeConfig;
  readonly #control: ControlPlane;
  readonly #gossip: Gossip;
  readonly #process: ProcessMeter;
  readonly #services: ServiceWatch;
  #meters: Record<(typeof rated)[number], RateMeter>[] = [];
  #leader: string | null = null;
  #leaderSinceMs = 0;
  #leaderChanges = 0;
  readonly #timer: NodeJS.Timeout;

  constructor(config: NodeConfig, control: ControlPlane, gossip: Gossip, meter: ProcessMeter, services: ServiceWatch) {
    this.#config = config;
    this.#control = control;
    this.#gossip = gossip;
    this.#process = meter;
    this.#services = services;
    this.#timer = setInterval(() => this.#sample(), sampleMs);
    this.#timer.unref();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  onLeadership({ leader }: Leadership): void {
    if (leader === this.#leader) return;
    this.#leader = leader;
    if (leader !== null) this.#leaderChanges++;
    this.#leaderSinceMs = performance.now();
  }

  /** Leaders seen since the start. */
  get leaderChanges(): number {
    return this.#leaderChanges;
  }

  #sample(): void {
    const nowMs = performance.now();
    this.onLeadership(this.#control.leadership);
    for (const [i, { stats }] of this.#control.status().shards.entries()) {
      const meters = (this.#meters[i] ??= {
        recordsRead: new RateMeter(windowMs),
        recordsApplied: new RateMeter(windowMs),
        recordsForwarded: new RateMeter(windowMs),
      });
      for (const name of rated) meters[name].sample(nowMs, stats[name]);
    }
  }

  /** Everybody gossip knows of, also those that it only remembers. */
  members() {
    return this.#gossip.members();
  }

  report(): NodeReport {
    const status = this.#control.status();
    const { raft, session, table } = status;
    const own = table.sessions.find((other) => other.session === session.id);
    const { renewedAgoMs } = session;
    const holding = session.state === 'holding' || session.state === 'stopping';
    const endsInMs = renewedAgoMs === null ? null : Math.max(this.#config.sessionStopMs - renewedAgoMs, 0);
    return {
      id: status.nodeId,
      address: status.peerAddress,
      version: status.version,
      atUnixMs: Date.now(),
      raft: {
        role: raft.role === 'preCandidate' ? 'candidate' : raft.role,
        term: raft.term,
        leader: raft.leader,
        voters: raft.voters,
        commitIndex: raft.commit,
        appliedIndex: raft.applied,
        trails: raft.role === 'leader' || raft.leader === null ? null : raft.commit - raft.applied,
        leaderSinceMs: raft.leader === null ? null : performance.now() - this.#leaderSinceMs,
      },
      balancing:
        status.balancing === null
          ? null
          : { active: status.balancing.balancing, left: status.balancing.left, pause: status.balancing.pause },
      problems: status.problems,
      session: holding ? { id: session.id, endsInMs } : null,
      shards: status.shards.map(({ shard, stats, hot, heldBack }) => ({
        ...this.#shard(shard, stats, own?.shards[shard], holding ? session.id : null, status.table),
        hot: hot.map(({ unit, keyHex, recordsPerSec, share }) => ({
          unit,
          user: keyHex === null ? null : showKey(Buffer.from(keyHex, 'hex')),
          recPerSec: recordsPerSec,
          share,
        })),
        heldBack,
      })),
      quarantined: table.quarantined.length,
      services: this.#services.report(),
      process: this.#process.report(),
      members: this.#gossip
        .members()
        .map(({ id, state, sinceMs }) => ({ id, state, sinceMs: performance.now() - sinceMs })),
    };
  }

  #shard(
    index: number,
    stats: Readonly<Record<ShardStatName, number>>,
    own: { readonly address: string; readonly units: number } | undefined,
    session: number | null,
    table: ReturnType<ControlPlane['status']>['table'],
  ): Omit<ShardReport, 'hot' | 'heldBack'> {
    const meters = this.#meters[index];
    const mine = table.partitions.filter(({ reader }) => reader?.session === session && reader.shard === index);
    return {
      index,
      address: own?.address ?? null,
      leases: own?.units ?? 0,
      partitions: mine.map(({ topic, partition }) => `${topic}/${partition}`),
      stats,
      oldestDirtyAgeMs: stats.oldestDirtyAgeMs === 0 ? null : stats.oldestDirtyAgeMs,
      readPerSec: meters?.recordsRead.perSec ?? null,
      appliedPerSec: meters?.recordsApplied.perSec ?? null,
      forwardedPerSec: meters?.recordsForwarded.perSec ?? null,
    };
  }

  tableFacts(): TableFacts {
    const { table } = this.#control.status();
    const topics = new Map<string, (number | null)[]>();
    for (const { topic, partition, reader } of table.partitions) {
      let readers = topics.get(topic);
      if (readers === undefined) topics.set(topic, (readers = []));
      readers[partition] = reader?.session ?? null;
    }
    return {
      index: table.index,
      sessions: table.sessions.map(({ session, nodeId, closing, draining, shards }) => ({
        session,
        nodeId,
        closing,
        draining,
        units: shards.reduce((sum, { units }) => sum + units, 0),
      })),
      quarantined: table.quarantined,
      topics: [...topics].map(([topic, readers]) => ({ topic, readers })),
    };
  }
}
