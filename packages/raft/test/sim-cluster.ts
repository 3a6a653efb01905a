import assert from 'node:assert/strict';
import { type Rng, randomBelow, randomRatio, SeededRng } from '@holdfast/model';
import {
  type ConfTarget,
  decodeMessage,
  encodeMessage,
  equalConfs,
  type RaftMessage,
  RawNode,
  type Ready,
  simpleConf,
} from '../src/index.ts';
import { type CheckedNode, ClusterChecks, contentId, payloadId } from './sim-checks.ts';
import { confsOf, randomTarget, repairTarget, survives } from './sim-members.ts';
import { SimNode, type Weather } from './sim-node.ts';

/** Spare nodes beside the founding voters: they join and leave. */
const sparesMax = 3;
/** How far behind a learner may be to become a voter. */
const lagEntriesMax = 8;

/**
 * Voters on one thread, driven by one random sequence: which of them does what next, what the network does to each
 * message, who crashes in the middle of what. Every event is followed by the checks.
 */
export class SimCluster {
  readonly nodes: SimNode[];
  /** Members whose disk was lost, with what it held. Their ids never come back. */
  readonly lost: CheckedNode[] = [];
  readonly checks = new ClusterChecks();
  readsAnswered = 0;
  crashes = 0;
  snapshotsInstalled = 0;
  confChanges = 0;
  jointChanges = 0;
  /** Changes with every event: equal for equal seeds. */
  traceHash = 0;
  readonly #rng: Rng;
  readonly #weather: Weather;
  readonly #options: Pick<
    ConstructorParameters<typeof RawNode>[0],
    | 'appendBytesMax'
    | 'inflightMessagesMax'
    | 'inflightBytesMax'
    | 'uncommittedBytesMax'
    | 'preVote'
    | 'checkQuorum'
    | 'applyBytesMax'
    | 'snapshotChunkBytes'
    | 'promotionLagEntriesMax'
  >;
  #wire: RaftMessage[] = [];
  /** Nodes of different sides don't hear each other. */
  readonly #sides = new Map<string, number>();
  #isCalm = false;
  #eventCount = 0;
  #nextPayload = 1;
  #nextRead = 1;

  constructor(seed: number, nodeCount: number) {
    this.#rng = new SeededRng(seed);
    const founders = Array.from({ length: nodeCount }, (_, i) => `n${i + 1}`);
    this.nodes = founders.map((id) => new SimNode(id, founders));
    const upTo = (most: number) => (randomBelow(this.#rng, 3) === 0 ? 0 : randomRatio(this.#rng) * most);
    this.#weather = {
      lossRatio: upTo(0.3),
      duplicateRatio: upTo(0.3),
      reorderRatio: upTo(0.5),
      crashRatio: upTo(0.005),
      partitionRatio: upTo(0.004),
      pauseRatio: upTo(0.003),
      changeRatio: upTo(0.05),
      wipeRatio: upTo(0.002),
      trailingEntries: Math.floor(upTo(12)),
    };
    this.#options = {
      appendBytesMax: 10 + randomBelow(this.#rng, 100),
      inflightMessagesMax: 1 + randomBelow(this.#rng, 5),
      inflightBytesMax: 20 + randomBelow(this.#rng, 200),
      snapshotChunkBytes: 1 + randomBelow(this.#rng, 40),
      promotionLagEntriesMax: lagEntriesMax,
      uncommittedBytesMax: 1000,
      applyBytesMax: 10 + randomBelow(this.#rng, 100),
      preVote: randomBelow(this.#rng, 3) > 0,
      checkQuorum: randomBelow(this.#rng, 3) > 0,
    };
    if (this.#weather.changeRatio > 0) {
      for (let i = randomBelow(this.#rng, sparesMax + 1); i > 0; i--) this.nodes.push(new SimNode(`s${i}`, []));
    }
    for (const node of this.nodes) this.#start(node);
  }

  /** One event at one place. */
  step(): void {
    const { crashRatio, partitionRatio, pauseRatio, changeRatio, wipeRatio } = this.#weather;
    this.#eventCount++;
    const node = this.nodes[randomBelow(this.#rng, this.nodes.length)]!;
    const dice = randomRatio(this.#rng);
    if (randomRatio(this.#rng) < wipeRatio && this.#wipe(node)) return;
    const leader = randomRatio(this.#rng) < changeRatio ? this.#leader() : undefined;
    if (leader !== undefined) {
      this.#changeMembers(leader.raw!);
      this.#check(leader);
    }
    if (node.raw === null) {
      if (dice < 0.02) this.#start(node);
    } else if (node.pausedUntil > this.#eventCount) return;
    else if (dice < crashRatio) this.#crash(node);
    else if (dice < crashRatio + partitionRatio) this.#split();
    else if (dice < crashRatio + partitionRatio + pauseRatio) this.#pause(node);
    else if (dice < 0.2) node.raw.tick();
    else if (dice < 0.53) this.#drive(node);
    else if (dice < 0.86) this.#deliver();
    else if (dice < 0.92) this.#propose(node);
    else if (dice < 0.95) this.#read(node);
    else if (dice < 0.985) this.#compact(node);
    else this.#meddle(node.raw);
    this.#check(node);
  }

  /** Ends all faults, and demands that the cluster gets back to work. */
  heal(): void {
    this.#isCalm = true;
    this.#sides.clear();
    for (const node of this.nodes) {
      if (node.raw === null) this.#start(node);
      node.reads.clear();
    }
    this.#runUntil('a leader', () => this.#leader() !== undefined);
    this.#runUntil('the wished members', () => this.#repair());
    const mark = this.checks.commit + 1;
    let result = this.#leader()!.raw!.propose(this.#payload());
    this.#runUntil('a proposal taken', () => {
      if (!result.ok) result = this.#leader()?.raw?.propose(this.#payload()) ?? result;
      return result.ok;
    });
    this.#runUntil('all applied', () => {
      const least = Math.min(...this.nodes.map((node) => node.appliedIndex));
      return least >= mark && least === Math.max(...this.nodes.map((node) => node.raw!.status().lastIndex));
    });
    assert.equal(new Set(this.nodes.map((node) => node.appliedHash)).size, 1, 'I14: states differ at the end');
    for (const node of this.nodes) this.#read(node);
    this.#runUntil('reads answered', () => this.nodes.every((node) => node.reads.size === 0));
  }

  #runUntil(what: string, isDone: () => boolean): void {
    for (let round = 0; round < 400; round++) {
      for (const node of this.nodes) {
        node.raw!.tick();
        this.#check(node);
      }
      for (let i = 0; i < 2000 && (this.#wire.length > 0 || this.nodes.some(isBusy)); i++) {
        for (const node of this.nodes) {
          this.#drive(node);
          this.#check(node);
        }
        this.#deliver();
      }
      if (isDone()) return;
    }
    const statuses = this.nodes.map((node) => ({ ...node.raw!.status(), progress: [...node.raw!.status().progress] }));
    assert.fail(`I8: healed, but no ${what}: ${JSON.stringify(statuses)}`);
  }

  #leader(): SimNode | undefined {
    const leaders = this.nodes.filter((node) => node.raw?.status().role === 'leader');
    return leaders.sort((a, b) => b.raw!.status().term - a.raw!.status().term)[0];
  }

  #start(node: SimNode): void {
    node.raw = new RawNode({
      id: node.id,
      voters: node.founders,
      electionTimeoutTicks: 5,
      heartbeatTicks: 1,
      rng: this.#rng,
      restored: node.disk,
      ...this.#options,
    });
    node.appliedIndex = node.disk.snapshot?.index ?? 0;
    node.appliedHash = node.disk.snapshot === null ? 0 : payloadId(node.disk.snapshot.data);
    this.checks.afterRestart(node);
  }

  #pause(node: SimNode): void {
    node.pausedUntil = this.#eventCount + randomBelow(this.#rng, 200 * this.nodes.length);
  }

  #crash(node: SimNode): void {
    this.crashes++;
    node.pausedUntil = 0;
    node.raw = null;
    node.ready = null;
    node.reads.clear();
    if (randomBelow(this.#rng, 2) === 0) node.disk = { ...node.disk, hardState: node.syncedHardState };
  }

  /** The disk is lost: what comes back under the node's name is another member, which knows nothing. */
  #wipe(node: SimNode): boolean {
    const lost = new Set([...this.lost.map(({ id }) => id), node.id]);
    // An unfinished change may end in a configuration that no disk shows yet.
    const isChanging = this.nodes.some(({ raw }) => raw?.status().role === 'leader' && !raw.status().canChangeConf);
    if (isChanging || this.nodes.some((other) => confsOf(other).some((conf) => !survives(conf, lost)))) return false;
    this.lost.push({ id: node.id, disk: node.disk, raw: null });
    const name = node.id.split('.')[0];
    const next = new SimNode(`${name}.${this.lost.length}`, []);
    this.nodes[this.nodes.indexOf(node)] = next;
    this.#sides.set(next.id, this.#sides.get(node.id) ?? 0);
    this.#start(next);
    return true;
  }

  /** Wishes for some members, with no plan but not to lose the quorum by the wish itself. */
  #changeMembers(leader: RawNode): void {
    const lost = new Set(this.lost.map(({ id }) => id));
    const living = this.nodes.map(({ id }) => id);
    const target = randomTarget(leader.status(), living, lost, lagEntriesMax, this.#rng);
    if (target !== null) this.#proposeChange(leader, target);
  }

  #proposeChange(leader: RawNode, target: ConfTarget): void {
    const result = leader.proposeConfChange(target);
    assert.ok(result.ok || result.code !== 'BAD_TARGET', JSON.stringify(result));
    if (!result.ok) return;
    this.confChanges++;
    const { voters } = leader.status().conf;
    const differing = [...voters, ...target.voters].filter((id) => voters.includes(id) !== target.voters.includes(id));
    if (differing.length > 1) this.jointChanges++;
  }

  /** Makes voters of all that live, and members of nobody else, as an operator would. True once it is so. */
  #repair(): boolean {
    const leader = this.#leader()?.raw;
    if (leader === undefined || leader === null) return false;
    const living = this.nodes.map(({ id }) => id).sort();
    const wished = simpleConf(living);
    if (equalConfs(leader.conf, wished)) return this.nodes.every((node) => equalConfs(node.raw!.conf, wished));
    if (leader.status().canChangeConf)
      this.#proposeChange(leader, repairTarget(leader.status(), living, lagEntriesMax));
    return false;
  }

  /** The next of the driver's duties. */
  #drive(node: SimNode): void {
    const raw = node.raw!;
    if (node.ready === null) {
      if (!raw.hasReady()) return;
      node.ready = raw.ready();
      node.phase = 'taken';
    } else if (node.phase === 'taken') {
      this.#sendAll(node, node.ready.promptMessages);
      this.#applyEntries(node, node.ready.committedEntries.slice(0, node.ready.promptCount));
      node.phase = 'begun';
    } else if (node.phase === 'begun') {
      this.#persist(node, node.ready);
      node.phase = 'persisted';
    } else if (node.phase === 'persisted') {
      this.#sendAll(node, node.ready.messages);
      node.phase = 'sent';
    } else {
      this.#apply(node, node.ready);
      raw.advance(node.ready);
      node.ready = null;
    }
  }

  #sendAll(node: SimNode, messages: readonly RaftMessage[]): void {
    for (const message of messages) {
      this.checks.beforeSend(message, node.disk);
      this.#send(message);
    }
  }

  #persist(node: SimNode, ready: Ready): void {
    const { snapshot } = ready;
    const hardState = ready.hardState ?? node.disk.hardState;
    let kept = node.disk.entries;
    const first = ready.entries[0];
    if (snapshot !== null) kept = [];
    else if (first !== undefined) kept = kept.filter((entry) => entry.index < first.index);
    node.disk = { hardState, snapshot: snapshot ?? node.disk.snapshot, entries: [...kept, ...ready.entries] };
    if (ready.mustSync) node.syncedHardState = hardState;
    this.checks.afterPersist(ready.entries, node.disk);
  }

  #apply(node: SimNode, ready: Ready): void {
    if (ready.snapshot !== null) {
      this.snapshotsInstalled++;
      node.appliedIndex = ready.snapshot.index;
      node.appliedHash = payloadId(ready.snapshot.data);
      this.checks.afterApply(node.id, node.appliedIndex, node.appliedHash);
    }
    this.#applyEntries(node, ready.committedEntries.slice(ready.promptCount));
    for (const { context, index } of ready.readStates) {
      const committed = node.reads.get(context as number);
      if (committed === undefined) continue;
      assert.ok(index >= committed, `I10: read at ${index} asked for when ${committed} was committed`);
      node.reads.delete(context as number);
      this.readsAnswered++;
    }
  }

  #applyEntries(node: SimNode, entries: readonly RaftEntry[]): void {
    for (const entry of entries) {
      assert.equal(entry.index, node.appliedIndex + 1, `${node.id} was given entries out of order`);
      node.appliedIndex = entry.index;
      node.appliedHash = (Math.imul(node.appliedHash, 31) + entry.term * 7919 + contentId(entry)) >>> 0;
      this.checks.afterApplyEntry(entry);
      this.checks.afterApply(node.id, node.appliedIndex, node.appliedHash);
    }
  }

  #send(message: RaftMessage): void {
    const { lossRatio, duplicateRatio } = this.#weather;
    if (!this.#isCalm && randomRatio(this.#rng) < lossRatio) return;
    this.#wire.push(message);
    if (!this.#isCalm && randomRatio(this.#rng) < duplicateRatio) this.#wire.push(message);
    if (this.#wire.length > 300) this.#wire.shift();
  }

  #deliver(): void {
    if (this.#wire.length === 0) return;
    const isLate = !this.#isCalm && randomRatio(this.#rng) < this.#weather.reorderRatio;
    const at = isLate ? randomBelow(this.#rng, this.#wire.length) : 0;
    const message = this.#wire.splice(at, 1)[0]!;
    if ((this.#sides.get(message.from) ?? 0) !== (this.#sides.get(message.to) ?? 0)) return;
    const receiver = this.nodes.find(({ id }) => id === message.to);
    if (receiver === undefined) return;
    if (!this.#isCalm && receiver.pausedUntil > this.#eventCount) {
      this.#wire.push(message);
      return;
    }
    receiver.raw?.step(this.#onArrival(message));
    this.#check(receiver);
  }

  /** Some messages go through the codec; now and then a piece of a snapshot is damaged on its way. */
  #onArrival(message: RaftMessage): RaftMessage {
    const dice = randomBelow(this.#rng, 40);
    if (dice < 5) return decodeMessage(encodeMessage(message));
    if (dice > 5 || this.#isCalm || message.type !== 'snapshot' || message.data.length === 0) return message;
    const data = message.data.slice();
    data[randomBelow(this.#rng, data.length)]! ^= 1 << randomBelow(this.#rng, 8);
    return { ...message, data };
  }

  #propose(node: SimNode): void {
    const raw = node.raw!;
    for (let burst = randomBelow(this.#rng, 4); burst >= 0; burst--) {
      if (randomBelow(this.#rng, 3) === 0) raw.forwardProposal(0, this.#payload());
      else raw.propose(this.#payload());
    }
  }

  #read(node: SimNode): void {
    const context = this.#nextRead++;
    const result = node.raw!.readIndex(context);
    if (result.ok) node.reads.set(context, this.checks.commit);
  }

  #compact(node: SimNode): void {
    // The driver applies before it advances, so in between it knows more than the node.
    const raw = node.raw!;
    if (raw.status().applied !== node.appliedIndex || node.ready !== null) return;
    // Another node's snapshot of the same state may be of other bytes.
    const data = new Uint8Array(4 + randomBelow(this.#rng, 60)).fill(randomBelow(this.#rng, 256));
    new DataView(data.buffer).setUint32(0, node.appliedHash);
    const snapshot = raw.compact(node.appliedIndex, data, this.#weather.trailingEntries);
    if (snapshot === null) return;
    const keepAfter = snapshot.index - this.#weather.trailingEntries;
    node.disk = { ...node.disk, snapshot, entries: node.disk.entries.filter(({ index }) => index > keepAfter) };
  }

  /** What operators and transports do now and then. */
  #meddle(raw: RawNode): void {
    const known = [...this.nodes, ...this.lost];
    const peer = known[randomBelow(this.#rng, known.length)]!.id;
    const what = randomBelow(this.#rng, 8);
    if (what === 0) raw.campaign();
    else if (what === 1) raw.transferLeadership(peer);
    else if (what < 4) raw.reportUnreachable(peer);
    else raw.reportSnapshot(peer, what < 6);
  }

  #split(): void {
    const kind = randomBelow(this.#rng, 3);
    const leader = this.#leader()?.id;
    for (const { id } of this.nodes) {
      // Healed, halved at random, or the leader alone.
      this.#sides.set(id, kind === 0 ? 0 : kind === 1 ? randomBelow(this.#rng, 2) : Number(id === leader));
    }
  }

  #check(node: SimNode): void {
    this.checks.afterEvent(node, [...this.nodes, ...this.lost]);
    const { term, commit } = node.raw?.status() ?? { term: 0, commit: 0 };
    this.traceHash = (Math.imul(this.traceHash, 33) ^ (term * 65_537 + commit * 257 + this.#wire.length)) >>> 0;
  }

  #payload(): Uint8Array {
    const data = new Uint8Array(4 + randomBelow(this.#rng, 30));
    new DataView(data.buffer).setUint32(0, this.#nextPayload++);
    return data;
  }
}

function isBusy(node: SimNode): boolean {
  return node.ready !== null || node.raw!.hasReady();
}
