import { compileLeaseOptions, type HolderChange, HolderHistory, type LeaseOptions, LeaseTable } from '@holdfast/lease';
import { InvariantError, type NodeId } from '@holdfast/model';
import type { PeerHandlers } from '../ports/peer-transport.ts';
import type { DirectoryEntry } from '../shard-messages.ts';
import { type AdminRequest, encodeJson, isCallMethod, type LeaderReply } from './calls.ts';
import { ClusterQuestions } from './cluster-questions.ts';
import type { NodeStatusRow, UserQueryAnswer } from './control-answers.ts';
import { ControlPlaneError } from './control-plane-error.ts';
import type { ControlPlaneOptions } from './control-plane-options.ts';
import { type ControlStatus, controlStatus, type UnitInfo, unitInfoOf } from './control-status.ts';
import { CrashWatch } from './crash-watch.ts';
import { LeaderCalls } from './leader-calls.ts';
import { LeaderDesk } from './leader-desk.ts';
import { LeaderTerm } from './leader-term.ts';
import { LeaseStateMachine, type TableChange } from './lease-state-machine.ts';
import { memberIdOf } from './member-id.ts';
import { NodeMembership } from './node-membership.ts';
import { NodeOrders } from './node-orders.ts';
import { NodeSession } from './node-session.ts';
import type { NodeIncarnation } from './node-session-options.ts';
import { PeerAddresses } from './peer-addresses.ts';
import { RaftDriver } from './raft-driver.ts';
import type { Leadership } from './raft-driver-options.ts';
import type { ShardPort } from './shard-port.ts';
import { ShardQueries } from './shard-queries.ts';
import { type StopResult, stopControlPlane } from './stop.ts';
import { directoryOf } from './table-views.ts';

/** Changes of one unit's holder that are shown. */
const historyShownMax = 16;

/**
 * The control thread of a node: its Raft member, the lease table, its session, and the leader's duties while it leads.
 * Composition only: ownership is decided in `@holdfast/lease`'s coordinator and enforced by shards and store.
 */
export class ControlPlane {
  readonly table: LeaseTable;
  readonly #options: ControlPlaneOptions;
  readonly #lease: LeaseOptions;
  readonly #queries: ShardQueries;
  readonly #questions: ClusterQuestions;
  readonly #leaderCalls: LeaderCalls;
  readonly #orders: NodeOrders;
  readonly #listeners = new Set<() => void>();
  /** This node's name among Raft's members. */
  readonly #member: string;
  #driver!: RaftDriver;
  #members: NodeMembership | null = null;
  readonly #crashes: CrashWatch;
  #desk!: LeaderDesk;
  #peerAddress = '';
  readonly #addresses: PeerAddresses;
  #term: LeaderTerm | null = null;
  #session: NodeSession | null = null;
  #isClosed = false;

  /** Loads the log, listens, and begins. The session opens once all shards listen. @throws RaftStorageError */
  static async start(options: ControlPlaneOptions): Promise<ControlPlane> {
    const control = new ControlPlane(options);
    try {
      await control.#start();
    } catch (error) {
      // Half a control plane must not go on ticking over ports that its maker is about to close.
      await control.close();
      throw error;
    }
    return control;
  }

  private constructor(options: ControlPlaneOptions) {
    this.#options = options;
    this.#lease = compileLeaseOptions(options.lease);
    this.table = new LeaseTable(new HolderHistory());
    this.#member = memberIdOf(options.nodeId, options.raftStorage.identity);
    this.#queries = new ShardQueries(options.timers);
    this.#questions = new ClusterQuestions({
      nodeId: options.nodeId,
      table: this.table,
      transport: options.transport,
      queries: this.#queries,
      shard: (index) => this.#session?.shards[index],
      status: () => this.status(),
    });
    this.#addresses = new PeerAddresses(options.nodeId);
    this.#orders = new NodeOrders(options.nodeId, options.transport, {
      handOver: (request) => this.#session?.handOver(request) ?? false,
      leave: () => options.onLeave?.(),
    });
    this.#crashes = new CrashWatch({ ...options, table: this.table });
    this.#leaderCalls = new LeaderCalls({
      self: options.nodeId,
      leader: () => this.#driver.leadership.leader,
      peers: () => this.#addresses.told,
      local: (method, body) => this.#onCall(options.nodeId, method, body),
      transport: options.transport,
      timers: options.timers,
    });
  }

  async #start(): Promise<void> {
    const options = this.#options;
    const machine = new LeaseStateMachine(this.table, {
      wallUnixMs: () => options.timers.wallUnixMs(),
      onEntry: (index, records) => this.#term?.onEntry(index, records),
      onChange: (change) => this.#onChange(change),
    });
    this.#driver = await RaftDriver.start({
      id: this.#member,
      // Who that is, the founding or a leader tells.
      voters: [],
      storage: options.raftStorage,
      transport: options.transport,
      machine,
      timers: options.timers,
      rng: options.rng,
      logger: options.logger.child('raft'),
      onLeadership: (leadership) => this.#onLeadership(leadership),
      onMembers: () => this.#connectPeers(),
      onFatal: (error) => this.#fail(error),
      ...(options.raftTiming === undefined ? {} : { timing: options.raftTiming }),
      ...(options.compaction === undefined ? {} : { compaction: options.compaction }),
    });
    machine.liveFrom(this.#driver.status().lastIndex + 1);
    const members = () => this.#members?.keeper ?? null;
    const { nodeId, voters, transport, timers } = options;
    this.#desk = new LeaderDesk({ table: this.table, driver: this.#driver, timers, term: () => this.#term, members });
    const handlers: PeerHandlers = {
      onRaft: (from, messages) => this.#driver.step(from, messages),
      onCall: (from, method, body) => this.#onCall(from, method, body),
      onUnreachable: (peer) => {
        this.#driver.reportUnreachable(peer);
        options.onUnreachable?.(peer);
      },
    };
    this.#peerAddress = await transport.listen(this.#crashes.listening(handlers));
    this.#members = new NodeMembership({
      nodeId,
      member: this.#member,
      incarnation: options.incarnation,
      voters,
      store: options.store,
      log: options.log,
      votersWanted: options.votersWanted ?? (voters.length < 5 ? 3 : 5),
      zoneOf: options.zoneOf ?? (() => null),
      table: this.table,
      driver: this.#driver,
      leaderCalls: this.#leaderCalls,
      transport,
      timers,
      logger: options.logger.child('members'),
      onRefused: (reason, text) => this.#fail(new ControlPlaneError(reason, text)),
      services: options.services,
      serviceAwayMs: this.#lease.serviceAwayMs,
    });
    // Founded long ago, it may lead already.
    this.#checkTerm();
    this.#beginSession(options.incarnation, options.shards);
  }

  get nodeId(): NodeId {
    return this.#options.nodeId;
  }

  /** Where other control threads reach this one. */
  get peerAddress(): string {
    return this.#peerAddress;
  }

  get leadership(): Leadership {
    return this.#driver.leadership;
  }

  /** Leads and can decide: its coordinator is there. */
  get isLeader(): boolean {
    return this.#term !== null;
  }

  /** The session under which this node's shards hold; null while there is none. */
  get session(): number | null {
    const { session, state } = this.#session ?? { session: 0, state: 'over' };
    // A node may stop before its shards know of a session.
    return (state === 'holding' || state === 'stopping') && session !== 0 ? session : null;
  }

  /** When the last good renewal of the session was asked for, by the clock of this process; null before the first. */
  get renewedAtMs(): number | null {
    return this.#session?.renewedAtMs ?? null;
  }

  /** Where control threads listen, as configuration and gossip say; `lastKnown`: of those that seem to be gone. */
  setPeers(addresses: ReadonlyMap<NodeId, string>, lastKnown: ReadonlyMap<NodeId, string> = new Map()): void {
    this.#addresses.tell(addresses, lastKnown);
    this.#connectPeers();
  }

  #connectPeers(): void {
    if (this.#peerAddress === '') return;
    this.#options.transport.setPeers(this.#addresses.all(this.table, this.#driver.members()));
  }

  /**
   * After `onSessionLost`: new shards under a higher counter of the same data folder. The shards of before must have
   * ended, and the counter must be on disk.
   */
  restartSession(counter: number, shards: readonly ShardPort[]): void {
    if (this.#isClosed) return;
    this.#session?.close();
    this.#queries.clear();
    this.#beginSession({ uuid: this.#options.incarnation.uuid, counter }, shards);
  }

  /** Calls the listener after each batch of entries and each change of leadership. Returns how to stop it. */
  onUpdate(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  liveSessions(): DirectoryEntry[] {
    return directoryOf(this.table);
  }

  status(): ControlStatus {
    return controlStatus({
      nodeId: this.nodeId,
      version: this.#options.version,
      peerAddress: this.#peerAddress,
      driver: this.#driver,
      table: this.table,
      session: this.#session!,
      term: this.#term,
      nowMs: this.#options.timers.monotonicMs(),
    });
  }

  /** The status of every node that is known, each within the deadline; nodes sorted by id. */
  clusterStatus(timeoutMs: number): Promise<NodeStatusRow[]> {
    return this.#questions.statusOf([...this.#options.voters, ...this.#addresses.told], timeoutMs);
  }

  /** The last changes of a unit's holder that this node remembers, oldest first. */
  holderHistory(hi: number, lo: number): HolderChange[] {
    return this.table.history?.of(hi, lo, historyShownMax) ?? [];
  }

  unitInfo(hi: number, lo: number): UnitInfo | null {
    return unitInfoOf(this.table, hi, lo);
  }

  /** A user's state from whoever holds it. Reads the own table: call `barrier` before, for a linearizable answer. */
  queryUser(key: Uint8Array, timeoutMs: number): Promise<UserQueryAnswer> {
    return this.#questions.user(key, timeoutMs);
  }

  /** Once it resolves the table shows everything committed before the call. @throws RaftDriverError */
  barrier(): Promise<number> {
    return this.#driver.readBarrier();
  }

  /** Asks the leader for an operator's act. */
  admin(request: AdminRequest, timeoutMs: number): Promise<LeaderReply> {
    return this.#leaderCalls.ask('admin', encodeJson(request), { totalMs: timeoutMs, tryMs: timeoutMs });
  }

  /**
   * The drain: no new leases, shards back up and close, the clean end is logged, leadership passed
   * on; then everything here ends. `clean: false` when the deadline came first: the session then ends by silence.
   */
  async stop(timeoutMs: number): Promise<StopResult> {
    const result = await stopControlPlane({
      nodeId: this.nodeId,
      session: this.#session!,
      driver: this.#driver,
      table: this.table,
      timers: this.#options.timers,
      logger: this.#options.logger,
      timeoutMs,
      onUpdate: (listener) => this.onUpdate(listener),
    });
    await this.close();
    return result;
  }

  /** Ends everything at once: for a second SIGTERM, and for tests. Resolves when the storage isn't used any more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#members?.close();
    this.#term?.end();
    this.#term = null;
    this.#session?.close();
    this.#queries.clear();
    await (this.#driver as RaftDriver | undefined)?.stop();
  }

  #beginSession(incarnation: NodeIncarnation, shards: readonly ShardPort[]): void {
    const { nodeId, version, timers, logger, crashes, services, onSessionLost } = this.#options;
    this.#session = new NodeSession({
      nodeId,
      member: this.#member,
      version,
      incarnation,
      peerAddress: this.#peerAddress,
      shards,
      table: this.table,
      lease: this.#lease,
      leaderCalls: this.#leaderCalls,
      timers,
      logger: logger.child('session'),
      services,
      crashes,
      onLost: (reason) => {
        this.#queries.clear();
        onSessionLost(reason);
      },
      onRefused: (reason, text) => this.#fail(new ControlPlaneError(reason, text)),
      onShardFailed: (shard, error) => this.#fail(new ControlPlaneError('SHARD_FAILED', `shard ${shard}: ${error}`)),
      onAnswer: (id, user) => this.#queries.answered(id, user),
      barrier: () => this.barrier(),
    });
  }

  #onChange(change: TableChange): void {
    if (change.sessions) this.#connectPeers();
    this.#session?.onChange(change);
    this.#checkTerm();
    for (const listener of [...this.#listeners]) listener();
  }

  #onLeadership(leadership: Leadership): void {
    this.#options.logger.info('leadership', { ...leadership });
    this.#checkTerm();
    this.#options.onLeadership?.(leadership);
    for (const listener of [...this.#listeners]) listener();
  }

  /** Begins or ends the leader's duties. */
  #checkTerm(): void {
    const driver = this.#driver as RaftDriver | undefined;
    if (driver === undefined || this.#isClosed) return;
    if (this.#term !== null && (!driver.isLeader || driver.leadership.term !== this.#term.term)) {
      this.#term.end();
      this.#term = null;
      this.#members?.lead(false);
    }
    if (this.#term !== null || this.#members === null || !driver.isLeaderReady) return;
    const { store, log, topics, timers, logger, balancingPaused } = this.#options;
    this.#term = new LeaderTerm({
      table: this.table,
      lease: this.#lease,
      driver,
      store,
      log,
      topics,
      timers,
      logger: logger.child('leader'),
      balancingPaused: balancingPaused ?? (() => false),
      crashes: this.#crashes,
      handOver: (nodeId, request) => this.#orders.handOver(nodeId, request),
      leave: (nodeId) => this.#orders.leave(nodeId),
    });
    this.#members?.lead(true);
  }

  #fail(error: unknown): void {
    if (this.#isClosed) return;
    void this.close();
    this.#options.onFatal(error);
  }

  async #onCall(from: NodeId, method: string, body: Uint8Array): Promise<Uint8Array> {
    if (this.#isClosed) throw new Error('this node is stopping');
    try {
      return await this.#answer(from, method, body);
    } catch (error) {
      // Nothing that this node decides can be trusted any more, whoever has asked.
      if (error instanceof InvariantError) this.#fail(error);
      throw error;
    }
  }

  async #answer(from: NodeId, method: string, body: Uint8Array): Promise<Uint8Array> {
    switch (method) {
      case 'leader':
        return encodeJson(this.leadership);
      case 'status':
        return encodeJson(this.status());
      case 'query':
        return this.#questions.answer(body);
      default: {
        const known = this.#orders.take(method, body) ?? this.#members?.answer(from, method, body);
        if (known != null) return known;
        const own = this.#options.calls?.get(method);
        if (own !== undefined) return own(from, body);
        if (!isCallMethod(method)) throw new Error(`unknown call ${method}`);
        return encodeJson(await this.#desk.answer(from, method, body));
      }
    }
  }
}
