import type { Logger, NodeId } from '@holdfast/model';
import type { PeerTransport } from '../ports/peer-transport.ts';
import { type Timers, within } from '../ports/timers.ts';
import { decodeJson, encodeJson } from './calls.ts';
import { FoundingTraces, type TraceAnswer } from './founding-traces.ts';
import { nodeOfMember } from './member-id.ts';
import type { RaftDriver } from './raft-driver.ts';

export const foundingMethod = 'raft.founding';
const roundMsMin = 250;
/** Where a node has to be mended first: an operator who has done that shall not wonder. */
const roundMsMax = 5_000;
const answerMsMax = 1_000;
/** Gossip reaches a node that starts again within a second or two, wherever it has been known. */
const listenMs = 5_000;
/** Longer than any message is on its way. */
export const promiseMs = 30_000;
/** A cluster that is there has taken this node in by then. */
const patienceMs = 30_000;
const advice =
  'if nothing of a cluster is left to be kept, stop the node, move its raft folder away, and start it again';
const wayAdvice = 'mend the way to its control port (listen.control), or stop it';

interface FoundingRequest {
  readonly founder: string;
  /** The asked one shall hear nobody else for a while: the founder has heard that all are blank. */
  readonly promise: boolean;
}

interface FoundingAnswer extends TraceAnswer {
  /** By whom the asked one would found. */
  readonly voters: readonly string[];
}

export interface FoundingOptions {
  readonly nodeId: NodeId;
  readonly member: string;
  /** The nodes by which the cluster is founded, the same at all of them. */
  readonly voters: readonly NodeId[];
  /** The other nodes of which gossip tells. */
  readonly peers: () => readonly NodeId[];
  /** Not the first start of this data folder: there may be a cluster, though its storage is blank. */
  readonly hasRunBefore: boolean;
  /** Above 0: log or store have served a cluster, which may be there still, though this folder is new. */
  readonly epochBase: () => Promise<number>;
  readonly driver: Pick<RaftDriver, 'isBlank' | 'status' | 'found' | 'listenOnlyTo'>;
  readonly transport: Pick<PeerTransport, 'call'>;
  readonly timers: Timers;
  readonly logger: Logger;
}

/**
 * The founding of a cluster, once in its life: the first of the configured voters, by name, asks all others who they are.
 * Only if all of them answer, name the same voters, and none has any trace of a cluster in its storage, it founds one,
 * with these very members as voters. So a first voter whose storage was lost does not found a second cluster: it would
 * hear of the one that is there, or wait for those who might know of it; it joins as a new member then. Whoever else gossip
 * shows alive is asked as well, and waited for; where nobody else is configured, and this folder isn't new or log or store
 * have served a cluster, gossip gets some time for that: a cluster may have grown from the one node. If all are blank they
 * are asked once more, and promise to hear only the founder for a while: nothing that an earlier founding has left on its
 * way gets into this one.
 *
 * Who isn't blank ends the attempt and not the founding: it goes on as a restart of this node would, once each node with a
 * trace has answered with another storage, and a blank one. A vote without a log is such a trace, for there was a founder
 * that asked for it: others may have the log that it wrote (ADR 11).
 */
export class Founding {
  readonly #options: FoundingOptions;
  readonly #traces = new FoundingTraces();
  #roundMs = roundMsMin;
  /** From when on it has listened, and heard of no cluster. */
  #listenedFromMs: number;
  /** Since when it has heard of one; null: of none. */
  #tracedFromMs: number | null = null;
  #hasHeardOfOne = false;
  /** Since when somebody that gossip shows alive has not answered; null: all of them have. */
  #unansweredFromMs: number | null = null;
  /** Whether log or store have served a cluster, as far as they say. */
  readonly #isServiceUsed: Promise<boolean>;
  #isOver = false;
  #told = '';
  #cancel: () => void = () => {};

  constructor(options: FoundingOptions) {
    this.#options = options;
    this.#listenedFromMs = options.timers.monotonicMs();
    const first = [...options.voters].sort()[0];
    const looks = first === options.nodeId && options.voters.length === 1 && options.driver.isBlank;
    this.#isServiceUsed = looks ? this.#lookAtServices() : Promise.resolve(false);
    if (first !== options.nodeId) this.#isOver = true;
    else if (options.driver.isBlank) void this.#round();
    else if (options.driver.status().lastIndex === 0) {
      this.#tell('warn', `this node has a Raft vote without a log: it founds nothing, and has to join; ${advice}`);
    }
  }

  close(): void {
    this.#isOver = true;
    this.#cancel();
  }

  /** Another node asks, on its way to found a cluster. */
  answer(from: NodeId, body: Uint8Array): Uint8Array {
    const { driver, member, voters } = this.#options;
    const { founder, promise } = decodeJson<FoundingRequest>(body);
    const isBlank = driver.isBlank;
    if (isBlank && promise && nodeOfMember(founder) === from) driver.listenOnlyTo(founder, promiseMs);
    const hasLog = driver.status().lastIndex > 0;
    const answer: FoundingAnswer = { member, isBlank, hasLog, voters: [...voters].sort() };
    return encodeJson(answer);
  }

  async #round(): Promise<void> {
    const { driver, timers } = this.#options;
    for (const promise of [false, true]) {
      if (this.#isOver || !driver.isBlank) return;
      if (!(await this.#askAll(promise))) break;
    }
    if (this.#isOver) return;
    this.#roundMs = this.#tracedFromMs === null ? roundMsMin : Math.min(this.#roundMs * 2, roundMsMax);
    this.#cancel = timers.setTimer(this.#roundMs, () => void this.#round());
  }

  /** True when all have answered that they are blank; with their promises, the cluster is founded then. */
  async #askAll(promise: boolean): Promise<boolean> {
    const { nodeId, member, voters, peers, driver } = this.#options;
    const others = voters.filter((voter) => voter !== nodeId);
    const strangers = peers().filter((peer) => !voters.includes(peer));
    // Gossip may have forgotten them meanwhile.
    for (const node of this.#traces.nodes) if (![...voters, ...strangers].includes(node)) strangers.push(node);
    const [answers, told, isServiceUsed] = await Promise.all([
      Promise.all(others.map((voter) => this.#ask(voter, promise))),
      Promise.all(strangers.map((peer) => this.#ask(peer, false))),
      within(this.#options.timers, answerMsMax, this.#isServiceUsed),
    ]);
    if (this.#isOver || !driver.isBlank) return false;
    for (const answer of [...answers, ...told]) {
      if (answer !== null) this.#traces.note(nodeOfMember(answer.member), answer);
    }
    if (this.#isTraced()) return false;
    // A service that has not said in time may have served one.
    if (
      this.#mayHearOfOne(isServiceUsed !== false) ||
      this.#isUnanswered(strangers.filter((_, i) => told[i] === null))
    ) {
      return false;
    }
    const wished = JSON.stringify([...voters].sort());
    if (answers.some((answer) => answer !== null && JSON.stringify(answer.voters) !== wished)) {
      // A node that is to join names other first voters than they do themselves.
      this.#tell('info', `others name other first voters than ${voters.join(', ')}: nothing is founded`);
    } else if (answers.every((answer) => answer !== null)) {
      if (!promise) return true;
      const members = [member, ...answers.map((answer) => answer.member)];
      this.#tell('info', `founding a cluster of ${voters.join(', ')}`);
      this.#isOver = true;
      driver.found(members);
      return true;
    } else {
      const missing = others.filter((_, i) => answers[i] === null);
      this.#tell('info', `no cluster yet: waiting for ${missing.join(', ')} to found it`);
    }
    return false;
  }

  /** Somebody has a trace of a cluster: that one takes this node in, or an operator clears the trace away. */
  #isTraced(): boolean {
    const nowMs = this.#options.timers.monotonicMs();
    if (this.#traces.nodes.length === 0) {
      if (this.#tracedFromMs !== null) this.#listenedFromMs = nowMs;
      this.#tracedFromMs = null;
      return false;
    }
    this.#hasHeardOfOne = true;
    this.#tracedFromMs ??= nowMs;
    const { text } = this.#traces;
    if (nowMs - this.#tracedFromMs < patienceMs) {
      this.#tell('info', `there is a cluster already (${text}): this storage is new to it, and has to join`);
    } else {
      this.#tell('warn', `nothing is founded, and no cluster takes this node in, as there is ${text}: ${advice}`);
    }
    return true;
  }

  /** Who founds alone is told by nobody but gossip that there is a cluster. */
  #mayHearOfOne(isServiceUsed: boolean): boolean {
    const { voters, timers } = this.#options;
    const hasRunBefore = this.#options.hasRunBefore || this.#hasHeardOfOne;
    if (voters.length > 1 || !(hasRunBefore || isServiceUsed)) return false;
    if (timers.monotonicMs() - this.#listenedFromMs >= listenMs) return false;
    const why = hasRunBefore ? 'this node has run before' : 'log or store may have served a cluster';
    this.#tell('info', `${why}, and its storage is blank: listening for the others of a cluster`);
    return true;
  }

  /** Who lives and doesn't say that it knows of no cluster may be part of one. */
  #isUnanswered(nodes: readonly NodeId[]): boolean {
    if (nodes.length === 0) {
      this.#unansweredFromMs = null;
      return false;
    }
    const nowMs = this.#options.timers.monotonicMs();
    this.#unansweredFromMs ??= nowMs;
    const names = nodes.join(', ');
    if (nowMs - this.#unansweredFromMs < patienceMs) {
      this.#tell('info', `no cluster yet: waiting for the word of ${names}, alive by gossip, that there is none`);
    } else {
      this.#tell(
        'warn',
        `nothing is founded, as ${names}, alive by gossip, can not be asked for a cluster: ${wayAdvice}`,
      );
    }
    return true;
  }

  async #lookAtServices(): Promise<boolean> {
    try {
      return (await this.#options.epochBase()) > 0;
    } catch {
      // What it has is not known.
      return true;
    }
  }

  /** Once, however often it is found again. */
  #tell(level: 'info' | 'warn', text: string): void {
    if (text === this.#told) return;
    this.#told = text;
    this.#options.logger[level](text);
  }

  async #ask(voter: NodeId, promise: boolean): Promise<FoundingAnswer | null> {
    const request: FoundingRequest = { founder: this.#options.member, promise };
    try {
      const { transport } = this.#options;
      const answer = decodeJson<FoundingAnswer>(
        await transport.call(voter, foundingMethod, encodeJson(request), answerMsMax),
      );
      return nodeOfMember(answer.member) === voter ? answer : null;
    } catch {
      // Not up yet.
      return null;
    }
  }
}
