import type { Logger, NodeId } from '@holdfast/model';
import type { PeerTransport } from '../ports/peer-transport.ts';
import type { Timers } from '../ports/timers.ts';
import { decodeJson, encodeJson } from './calls.ts';
import { nodeOfMember } from './member-id.ts';
import type { RaftDriver } from './raft-driver.ts';

export const foundingMethod = 'raft.founding';
const roundMs = 250;
const answerMsMax = 1_000;
/** Gossip reaches a node that starts again within a second or two, wherever it has been known. */
const listenMs = 5_000;
/** Longer than any message is on its way. */
export const promiseMs = 30_000;

interface FoundingRequest {
  readonly founder: string;
  /** The asked one shall hear nobody else for a while: the founder has heard that all are blank. */
  readonly promise: boolean;
}

interface FoundingAnswer {
  readonly member: string;
  readonly isBlank: boolean;
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
  readonly driver: Pick<RaftDriver, 'isBlank' | 'found' | 'listenOnlyTo'>;
  readonly transport: Pick<PeerTransport, 'call'>;
  readonly timers: Timers;
  readonly logger: Logger;
}

/**
 * The founding of a cluster, once in its life: the first of the configured voters, by name, asks all others who they are.
 * Only if all of them answer, name the same voters, and none has any trace of a cluster in its storage, it founds one,
 * with these very members as voters. So a first voter whose storage was lost does not found a second cluster: it would
 * hear of the one that is there, or wait for those who might know of it; it joins as a new member then. Whoever else gossip
 * tells of is asked as well; where nobody else is configured, and this folder isn't new, gossip gets some time for that: a
 * cluster may have grown from the one node. If all are blank they are asked once more, and promise to hear only the
 * founder for a while: nothing that an earlier founding has left on its way gets into this one.
 */
export class Founding {
  readonly #options: FoundingOptions;
  readonly #beganAtMs: number;
  #isOver = false;
  #told = '';
  #cancel: () => void = () => {};

  constructor(options: FoundingOptions) {
    this.#options = options;
    this.#beganAtMs = options.timers.monotonicMs();
    const first = [...options.voters].sort()[0];
    if (first === options.nodeId) void this.#round();
    else this.#isOver = true;
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
    const answer: FoundingAnswer = { member, isBlank, voters: [...voters].sort() };
    return encodeJson(answer);
  }

  async #round(): Promise<void> {
    const { driver, timers } = this.#options;
    for (const promise of [false, true]) {
      if (this.#isOver || !driver.isBlank) return;
      if (!(await this.#askAll(promise))) break;
    }
    if (this.#isOver) return;
    this.#cancel = timers.setTimer(roundMs, () => void this.#round());
  }

  /** True when all have answered that they are blank; with their promises, the cluster is founded then. */
  async #askAll(promise: boolean): Promise<boolean> {
    const { nodeId, member, voters, peers, driver } = this.#options;
    const others = voters.filter((voter) => voter !== nodeId);
    const strangers = peers().filter((peer) => !voters.includes(peer));
    const [answers, told] = await Promise.all([
      Promise.all(others.map((voter) => this.#ask(voter, promise))),
      Promise.all(strangers.map((peer) => this.#ask(peer, false))),
    ]);
    if (this.#isOver || !driver.isBlank) return false;
    if ([...answers, ...told].some((answer) => answer !== null && !answer.isBlank)) {
      this.#tell('there is a cluster already: this storage is new to it, and has to join');
      this.#isOver = true;
      return false;
    }
    if (this.#mayHearOfOne()) {
      this.#tell('this node has run before, and its storage is blank: listening for the others of a cluster');
      return false;
    }
    const wished = JSON.stringify([...voters].sort());
    if (answers.some((answer) => answer !== null && JSON.stringify(answer.voters) !== wished)) {
      // A node that is to join names other first voters than they do themselves.
      this.#tell(`others name other first voters than ${voters.join(', ')}: nothing is founded`);
    } else if (answers.every((answer) => answer !== null)) {
      if (!promise) return true;
      const members = [member, ...answers.map((answer) => answer.member)];
      this.#tell(`founding a cluster of ${voters.join(', ')}`);
      this.#isOver = true;
      driver.found(members);
      return true;
    } else {
      const missing = others.filter((_, i) => answers[i] === null);
      this.#tell(`no cluster yet: waiting for ${missing.join(', ')} to found it`);
    }
    return false;
  }

  /** Who founds alone is told by nobody but gossip that there is a cluster. */
  #mayHearOfOne(): boolean {
    const { voters, hasRunBefore, timers } = this.#options;
    return hasRunBefore && voters.length === 1 && timers.monotonicMs() - this.#beganAtMs < listenMs;
  }

  /** Once, however often it is found again. */
  #tell(text: string): void {
    if (text === this.#told) return;
    this.#told = text;
    this.#options.logger.info(text);
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
