import assert from 'node:assert/strict';
import { type Rng, randomBelow, randomRatio, SeededRng } from '@holdfast/model';
import {
  decodeMessage,
  emptyRestored,
  encodeMessage,
  type HardState,
  type RaftMessage,
  RawNode,
  type Ready,
  type Restored,
} from '../src/index.ts';
import { ClusterChecks, payloadId } from './sim-checks.ts';

/** How bad the world is; drawn from the seed. */
interface Weather {
  readonly lossRatio: number;
  readonly duplicateRatio: number;
  readonly reorderRatio: number;
  readonly crashRatio: number;
  readonly partitionRatio: number;
  readonly pauseRatio: number;
  readonly trailingEntries: number;
}

/** One voter with its driver, its disk and a state machine that hashes what it applies. */
class SimNode {
  readonly id: string;
  raw: RawNode | null = null;
  disk: Restored = emptyRestored;
  /** What a power cut leaves of the hard state: writes without sync may be undone. */
  syncedHardState: HardState = emptyRestored.hardState;
  ready: Ready | null = null;
  /** How far the driver is with `ready`. */
  phase: 'taken' | 'persisted' | 'sent' = 'taken';
  appliedIndex = 0;
  appliedHash = 0;
  /** Stalled until this event: neither ticks nor work, and messages wait. */
  pausedUntil = 0;
  /** Committed at the time of the question, by open read of this life. */
  readonly reads = new Map<number, number>();

  constructor(id: string) {
    this.id = id;
  }
}

/**
 * Voters on one thread, driven by one random sequence: which of them does what next, what the network does to each
 * message, who crashes in the middle of what. Every event is followed by the checks.
 */
export class SimCluster {
  readonly nodes: SimNode[];
  readonly checks = new ClusterChecks();
  readsAnswered = 0;
  crashes = 0;
  snapshotsInstalled = 0;
  /** Changes with every event: equal for equal seeds. */
  traceHash = 0;
  readonly #rng: Rng;
  readonly #weather: Weather;
  readonly #options: Pick<
    ConstructorParameters<typeof RawNode>[0],
    'appendBytesMax' | 'inflightMessagesMax' | 'uncommittedBytesMax' | 'preVote' | 'checkQuorum' | 'applyBytesMax'
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
    this.nodes = Array.from({ length: nodeCount }, (_, i) => new SimNode(`n${i + 1}`));
    const upTo = (most: number) => (randomBelow(this.#rng, 3) === 0 ? 0 : randomRatio(this.#rng) * most);
    this.#weather = {
      lossRatio: upTo(0.3),
      duplicateRatio: upTo(0.3),
      reorderRatio: upTo(0.5),
      crashRatio: upTo(0.005),
      partitionRatio: upTo(0.004),
      pauseRatio: upTo(0.003),
      trailingEntries: Math.floor(upTo(12)),
    };
    this.#options = {
      appendBytesMax: 10 + randomBelow(this.#rng, 100),
      inflightMessagesMax: 1 + randomBelow(this.#rng, 5),
      uncommittedBytesMax: 1000,
      applyBytesMax: 10 + randomBelow(this.#rng, 100),
      preVote: randomBelow(this.#rng, 3) > 0,
      checkQuorum: randomBelow(this.#rng, 3) > 0,
    };
    for (const node of this.nodes) this.#start(node);
  }

  /** One event at one place. */
  step(): void {
    const { crashRatio, partitionRatio, pauseRatio } = this.#weather;
    this.#eventCount++;
    const node = this.nodes[randomBelow(this.#rng, this.nodes.length)]!;
    const dice = randomRatio(this.#rng);
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
    assert.fail(`I8: healed, but no ${what}: ${JSON.stringify(this.nodes.map((node) => node.raw!.status()))}`);
  }

  #leader(): SimNode | undefined {
    const leaders = this.nodes.filter((node) => node.raw?.status().role === 'leader');
    return leaders.sort((a, b) => b.raw!.status().term - a.raw!.status().term)[0];
  }

  #start(node: SimNode): void {
    node.raw = new RawNode({
      id: node.id,
      voters: this.nodes.map(({ id }) => id),
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

  /** The next of the driver's duties. */
  #drive(node: SimNode): void {
    const raw = node.raw!;
    if (node.ready === null) {
      if (!raw.hasReady()) return;
      node.ready = raw.ready();
      node.phase = 'taken';
    } else if (node.phase === 'taken') {
      this.#persist(node, node.ready);
      node.phase = 'persisted';
    } else if (node.phase === 'persisted') {
      for (const message of node.ready.messages) {
        this.checks.beforeSend(message, node.disk);
        this.#send(message);
      }
      node.phase = 'sent';
    } else {
      this.#apply(node, node.ready);
      raw.advance(node.ready);
      node.ready = null;
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
    for (const entry of ready.committedEntries) {
      assert.equal(entry.index, node.appliedIndex + 1, `${node.id} was given entries out of order`);
      node.appliedIndex = entry.index;
      node.appliedHash = (Math.imul(node.appliedHash, 31) + entry.term * 7919 + payloadId(entry.data)) >>> 0;
      this.checks.afterApply(node.id, node.appliedIndex, node.appliedHash);
    }
    for (const { context, index } of ready.readStates) {
      const committed = node.reads.get(context as number);
      if (committed === undefined) continue;
      assert.ok(index >= committed, `I10: read at ${index} asked for when ${committed} was committed`);
      node.reads.delete(context as number);
      this.readsAnswered++;
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
    const receiver = this.nodes.find(({ id }) => id === message.to)!;
    if (!this.#isCalm && receiver.pausedUntil > this.#eventCount) {
      this.#wire.push(message);
      return;
    }
    receiver.raw?.step(randomBelow(this.#rng, 8) === 0 ? decodeMessage(encodeMessage(message)) : message);
    this.#check(receiver);
  }

  #propose(node: SimNode): void {
    for (let burst = randomBelow(this.#rng, 4); burst >= 0; burst--) node.raw!.propose(this.#payload());
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
    const data = new Uint8Array(4);
    new DataView(data.buffer).setUint32(0, node.appliedHash);
    const snapshot = raw.compact(node.appliedIndex, data, this.#weather.trailingEntries);
    if (snapshot === null) return;
    const keepAfter = snapshot.index - this.#weather.trailingEntries;
    node.disk = { ...node.disk, snapshot, entries: node.disk.entries.filter(({ index }) => index > keepAfter) };
  }

  /** What operators and transports do now and then. */
  #meddle(raw: RawNode): void {
    const peer = this.nodes[randomBelow(this.#rng, this.nodes.length)]!.id;
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
    this.checks.afterEvent(node, this.nodes);
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
