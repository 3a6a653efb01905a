import { LmdbRaftStorage, type NodeFolder, openCrashFolder, openDataFolder, openNodeFolder } from '@holdfast/embedded';
import { ControlPlane, type Gossip, ServiceWatch, storeLook, within } from '@holdfast/engine';
import { type Logger, type NodeId, nodeId } from '@holdfast/model';
import { HealthServer, Metrics, PinoLogger } from '@holdfast/telemetry';
import { AdminServer, GrpcPeerTransport, ServerHost, type TlsFiles } from '@holdfast/transport-grpc';
import { advertisedHost } from '../config/advertised-host.ts';
import { configWarnings } from '../config/config-warnings.ts';
import type { NodeConfig } from '../config/node-config.ts';
import { loadJob } from '../job/load-job.ts';
import { statusSchemaName } from '../status/status-document.ts';
import { userSchemaName } from '../status/user-document.ts';
import { act, actSchemaName } from './admin-acts.ts';
import { ClusterStatus, reportMethod } from './cluster-status.ts';
import { CryptoRng } from './crypto-rng.ts';
import { exportUsers } from './export-users.ts';
import { createGossip, openGossipKeys } from './gossip.ts';
import { gossipMeta, zoneIn } from './gossip-meta.ts';
import { nodeEndError, shardPortError } from './node-end.ts';
import { healthChecks } from './node-health.ts';
import { nodeMetrics } from './node-metrics.ts';
import { NodeReporter } from './node-reporter.ts';
import { NodeTimers } from './node-timers.ts';
import { ProcessMeter } from './process-meter.ts';
import { type NodeEnd, NodeStartError, type RunningNode } from './running-node.ts';
import { openLogWithTopics } from './services/open-log.ts';
import { openStore } from './services/open-store.ts';
import { tellOfStuckShards } from './stuck-shards.ts';
import { readNodeTls } from './tls-files.ts';
import { isHolderUnreachable } from './unreachable-holder.ts';
import { lookUpUser } from './user-lookup.ts';
import { WorkerShard } from './worker-shard.ts';

export const nodeVersion = '0.1.0';

/**
 * Who asks twice doesn't wait for a shard that is stuck: its thread ends with the process. What is open then is safe, as
 * after a crash.
 */
const disposeAtOnceMs = 1_000;

/** A node that has failed saves nothing: threads that don't end by then are stuck, or as good as. */
const threadsEndMs = 5_000;

/**
 * Starts a node from its compiled configuration.
 * @param stop ends the waiting for a log or store that isn't there yet
 * @throws GossipError, TlsFilesError, NodeStartError, NodeEndError RAFT_DAMAGED, JobLoadError, ServiceError, and what its adapters throw
 */
export async function runNode(config: NodeConfig, stop?: AbortSignal): Promise<RunningNode> {
  const gossipKeys = openGossipKeys(config);
  const tls = readNodeTls(config, Date.now());
  const opened = openDataFolder(config.dataDir, Date.now());
  if (opened.code !== 'OK') throw new NodeStartError(opened.code, opened.text);
  const locked = await openNodeFolder(config.dataDir, config.nodeId);
  if (locked.code !== 'OK') throw new NodeStartError(locked.code, locked.text);
  const node = new Node(config, { gossipKeys, tls }, opened.folder, locked.folder);
  try {
    await node.start(stop);
  } catch (error) {
    await node.dispose();
    throw nodeEndError(error, config.nodeId, locked.folder);
  }
  return node;
}

interface NodeSecrets {
  readonly gossipKeys: ReturnType<typeof openGossipKeys>;
  readonly tls: TlsFiles | null;
}

class Node implements RunningNode {
  readonly #config: NodeConfig;
  readonly #secrets: NodeSecrets;
  readonly #clusterId: string;
  readonly #logPath: string;
  readonly #storePath: string;
  readonly #folder: NodeFolder;
  readonly #logger: Logger;
  readonly #timers = new NodeTimers();
  readonly #meter = new ProcessMeter();
  readonly #disposers: (() => unknown)[] = [];
  #control: ControlPlane | null = null;
  #gossip: Gossip | null = null;
  #shards: WorkerShard[] = [];
  #end!: (end: NodeEnd) => void;
  readonly ended: Promise<NodeEnd>;
  address = '';
  #metrics: Metrics | null = null;
  #services: ServiceWatch | null = null;
  #stopping = false;
  /** It ends, as a failure, whatever signals come: whoever started it is to start it again. */
  #failing = false;
  #stuck = false;
  /** The log or store that the start waits for. */
  #waitingFor: string | null = null;

  constructor(
    config: NodeConfig,
    secrets: NodeSecrets,
    data: { clusterId: string; logPath: string; storePath: string },
    folder: NodeFolder,
  ) {
    this.#config = config;
    this.#secrets = secrets;
    this.#clusterId = data.clusterId;
    this.#logPath = (config.log.kind === 'embedded' ? config.log.dir : null) ?? data.logPath;
    this.#storePath = (config.store.kind === 'embedded' ? config.store.dir : null) ?? data.storePath;
    this.#folder = folder;
    this.#logger = PinoLogger.create({ level: config.logLevel, base: { node: config.nodeId } });
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    this.#disposers.push(() => folder.close());
  }

  get nodeId(): NodeId {
    return this.#config.nodeId;
  }

  async start(stop?: AbortSignal): Promise<void> {
    const config = this.#config;
    for (const text of configWarnings(config)) this.#logger.warn(text);
    await this.#serveHealth();
    const job = await loadJob(config.job);
    const environment = {
      timers: this.#timers,
      logger: this.#logger,
      onWaiting: (what: string | null) => {
        this.#waitingFor = what;
      },
      ...(stop === undefined ? {} : { stop }),
    };
    const { log, look: lookAtLog } = await openLogWithTopics(config, this.#logPath, job, environment);
    this.#disposers.push(() => log.close());
    const store = await openStore(config, this.#storePath, environment);
    this.#disposers.push(() => store.close());
    const lookAtStore = storeLook(store, () => this.#control?.table.storeGeneration ?? '');
    const looks = { log: lookAtLog, store: lookAtStore };
    const services = new ServiceWatch(looks, this.#timers, this.#logger);
    this.#services = services;
    this.#disposers.push(() => services.close());
    const raftStorage = await LmdbRaftStorage.open(this.#folder.raftPath);
    this.#disposers.push(() => raftStorage.close());
    const { listenControl } = config;
    const { tls } = this.#secrets;
    const host = new ServerHost({ ...listenControl, advertisedHost: advertisedHost(config, listenControl), tls });
    const transport = new GrpcPeerTransport({ nodeId: config.nodeId, clusterId: config.clusterName, host, tls });
    this.#disposers.push(() => transport.close());
    // The admin service must be on the host before it listens, but what it shows exists only after.
    let status: ClusterStatus | null = null;
    const started = (): { readonly status: ClusterStatus; readonly control: ControlPlane } => {
      if (status === null || this.#control === null) throw new Error('this node is starting');
      return { status, control: this.#control };
    };
    new AdminServer(host, {
      status: async () => ({ schema: statusSchemaName, document: await started().status.document() }),
      getUser: async (key) => {
        const { status, control } = started();
        const confirm = () => status.confirm();
        const document = await lookUpUser(key, { nodeId: config.nodeId, control, store, job, confirm });
        return document === null ? null : { schema: userSchemaName, document };
      },
      act: async (request) => ({ schema: actSchemaName, document: await act(started().control, request) }),
      async *exportUsers() {
        for await (const document of exportUsers(store, job)) yield { schema: 'holdfast/export/v1', document };
      },
    });
    const crashes = openCrashFolder(this.#folder.crashPath);
    const named = crashes.pending.filter(({ kind }) => kind === 'record');
    if (named.length > 0) this.#logger.warn('a process of this node ended at a record', { crashes: named.length });
    this.#shards = this.#newShards(this.#folder.startCounter, []);
    const control = await ControlPlane.start({
      nodeId: config.nodeId,
      version: nodeVersion,
      voters: config.peers.map(({ id }) => id),
      incarnation: { uuid: this.#folder.uuid, counter: this.#folder.startCounter },
      shards: this.#shards,
      crashes,
      transport,
      raftStorage,
      log,
      store,
      topics: job.inputs,
      timers: this.#timers,
      rng: new CryptoRng(),
      logger: this.#logger,
      onSessionLost: (reason) => void this.#renewSession(reason),
      onFatal: (error) => this.fail(this.#endError(error)),
      zoneOf: (id) => zoneIn(this.#gossip?.members() ?? [], id),
      onLeave: () => {
        if (!this.#stopping) this.stop();
      },
      balancingPaused: () => this.#someoneUnreachable(),
      services,
      onUnreachable: (peer) => this.#gossip?.reportUnreachable(peer),
      calls: new Map([[reportMethod, () => started().status.onReport()]]),
      lease: {
        sessionTtlMs: config.sessionTtlMs,
        renewEveryMs: config.sessionRenewMs,
        holderStopMs: config.sessionStopMs,
      },
    });
    this.#control = control;
    this.address = control.peerAddress;
    this.#setPeers();
    await this.#startGossip();
    const reporter = new NodeReporter(config, control, this.#gossip!, this.#meter, services);
    this.#disposers.push(() => reporter.close());
    this.#metrics = new Metrics(
      nodeMetrics({
        version: nodeVersion,
        job: job.name,
        backupEveryMs: config.backupIntervalMs,
        leaderChanges: () => reporter.leaderChanges,
        report: () => reporter.report(),
      }),
    );
    status = new ClusterStatus(config, control, transport, reporter, this.#clusterId);
    this.#logger.info('listening', { control: this.address, gossip: this.#gossip!.address });
  }

  #endError(error: unknown): unknown {
    const busyAddress = this.#shards.map((shard) => shard.busyAddress).find((address) => address !== null);
    if (busyAddress !== undefined) return shardPortError(busyAddress, error);
    return nodeEndError(error, this.#config.nodeId, this.#folder);
  }

  /** First of all: a supervisor wants to know of a start that takes long. */
  async #serveHealth(): Promise<void> {
    const { listenHttp } = this.#config;
    if (listenHttp === null) return;
    const checks = healthChecks(() => ({
      control: this.#control,
      isStarted: this.#metrics !== null,
      isStopping: this.#stopping,
      waitingFor: this.#waitingFor,
      services: this.#services?.report() ?? null,
    }));
    const metrics = {
      contentType: Metrics.contentType,
      text: async () => (this.#metrics === null ? '' : this.#metrics.text()),
    };
    const server = await HealthServer.listen(listenHttp, { ...checks, metrics });
    this.#disposers.push(() => server.close());
  }

  async #startGossip(): Promise<void> {
    const meta = gossipMeta(this.#config, this.#folder, { version: nodeVersion, peerAddress: this.address });
    const { gossip, close } = createGossip(
      this.#config,
      this.#secrets.gossipKeys,
      meta,
      this.#timers,
      this.#logger.child('gossip'),
    );
    this.#disposers.push(close);
    this.#gossip = gossip;
    gossip.onChange(() => this.#setPeers());
    await gossip.start();
    this.#disposers.push(() => gossip.stop());
  }

  /** Where the others are: as configured, unless gossip knows better. */
  #setPeers(): void {
    const addresses = new Map(this.#config.peers.map(({ id, address }) => [id, address]));
    const lastKnown = new Map<NodeId, string>();
    for (const { id, meta, state } of this.#gossip?.members() ?? []) {
      const isGone = state === 'left' || state === 'dead';
      (isGone ? lastKnown : addresses).set(nodeId(id), meta.peerAddress);
    }
    this.#control?.setPeers(addresses, lastKnown);
  }

  #someoneUnreachable(): boolean {
    return isHolderUnreachable(this.#gossip?.members() ?? [], this.#control?.liveSessions() ?? []);
  }

  #newShards(counter: number, before: readonly WorkerShard[]): WorkerShard[] {
    return Array.from(
      { length: this.#config.shardCount },
      (_, shard) =>
        new WorkerShard(
          {
            config: this.#config,
            tls: this.#secrets.tls,
            shard,
            logPath: this.#logPath,
            storePath: this.#storePath,
            zeroMs: this.#timers.zeroMs,
            crashPath: this.#folder.crashPath,
            counter,
          },
          before[shard],
        ),
    );
  }

  /** A session is over: its shards may hold nothing more. A new one begins under a raised counter, with new shards. */
  async #renewSession(reason: string): Promise<void> {
    if (this.#stopping) return;
    this.#logger.warn('the session is over; beginning another', { reason });
    try {
      if (!(await this.#closeShards())) throw new Error('a shard is stuck and can not be ended');
      if (this.#stopping) return;
      const counter = this.#folder.raiseCounter();
      this.#shards = this.#newShards(counter, this.#shards);
      this.#control!.restartSession(counter, this.#shards);
    } catch (error) {
      this.fail(error);
    }
  }

  async #closeShards(): Promise<boolean> {
    const closed = await Promise.all(this.#shards.map((shard) => shard.close()));
    // Asked again and again, till the end.
    const isTold = this.#stuck;
    this.#stuck = closed.includes(false);
    if (this.#stuck && !isTold) await tellOfStuckShards(this.#logger);
    return !this.#stuck;
  }

  stop(): void {
    if (this.#failing) return;
    if (this.#stopping) {
      this.#logger.warn('stopping at once');
      const disposed = this.dispose().catch((error: unknown) => this.#logger.warn('not all is closed', { err: error }));
      void within(this.#timers, disposeAtOnceMs, disposed).then((done) =>
        this.#end({ kind: 'stopped', clean: false, drained: false, stuck: done === 'late' || this.#stuck }),
      );
      return;
    }
    this.#stopping = true;
    this.#logger.info('draining');
    void this.#drain();
  }

  async #drain(): Promise<void> {
    try {
      const { clean, drained } = await this.#control!.stop(this.#config.drainDeadlineMs);
      await this.#gossip?.leave();
      await this.#closeShards();
      await this.dispose();
      if (this.#failing) return;
      this.#logger.info('stopped', { clean, drained });
      this.#end({ kind: 'stopped', clean, drained, stuck: this.#stuck });
    } catch (error) {
      this.fail(error);
    }
  }

  fail(error: unknown): void {
    const failure = error instanceof Error ? error : new Error(String(error));
    this.#logger.error('this node can not go on', { err: failure });
    if (this.#failing) return;
    this.#stopping = this.#failing = true;
    const closing = this.#closeShards().catch((err: unknown) => {
      this.#logger.warn('not all is closed', { err });
      return false;
    });
    void within(this.#timers, threadsEndMs, closing).then((closed) =>
      this.#end({ kind: 'failed', error: failure, stuck: closed !== true }),
    );
  }

  /** Closes what is open, newest first; each at most once. */
  async dispose(): Promise<void> {
    this.#meter.close();
    await this.#control?.close();
    await this.#closeShards();
    for (const dispose of this.#disposers.splice(0).reverse()) await dispose();
  }
}
