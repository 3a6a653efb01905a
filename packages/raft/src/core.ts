import { assert, randomBelow } from '@holdfast/model';
import { allMembers, type ConfState, isVoter, simpleConf } from './conf.ts';
import type { CommitHint, RaftMessage } from './messages.ts';
import { Progress } from './progress.ts';
import { RaftLog } from './raft-log.ts';
import { ReadQueue } from './read-only.ts';
import type { SnapshotAssembly } from './snapshot-assembly.ts';
import { SnapshotPieces } from './snapshot-pieces.ts';
import type { ForwardResult, HardState, RaftOptions, ReadContext, ReadState, Role, Snapshot } from './types.ts';

/**
 * State of one member, and the transitions that all roles share. What each role does with messages and ticks is in the
 * file of that name; they change the state and put messages into `outbox`, nothing else.
 *
 *   follower --timeout--> preCandidate --quorum would vote--> candidate --quorum voted--> leader
 *   any --higher term, or a leader in this term--> follower;  leader --quorum silent--> follower
 */
export class RaftCore {
  readonly id: string;
  readonly options: Required<RaftOptions>;
  readonly log: RaftLog;
  /** As of the last applied entry. */
  conf: ConfState;
  /** A leader proposes no configuration before it has applied this entry. */
  pendingConfIndex = 0;
  term: number;
  vote: string | null;
  role: Role = 'follower';
  leader: string | null = null;
  /** Ticks since the leader was heard or an election began; at a leader since it last checked its quorum. */
  electionElapsed = 0;
  heartbeatElapsed = 0;
  randomizedTimeoutTicks = 0;
  /** It had rather not lead: the others' election timeouts are over before its own. */
  isReluctant = false;
  /** The leader asked this node to stand, which it may do once it has applied a configuration. */
  isCampaignOwed = false;
  /** Where a leader hands its office to, and for how many ticks it has waited. */
  transferee: string | null = null;
  transferElapsed = 0;
  /** Payload after the commit index; kept at a leader only. */
  uncommittedBytes = 0;
  /** Answers in the election under way. */
  readonly votes = new Map<string, boolean>();
  /** Of the other members; filled at a leader only. */
  readonly progress = new Map<string, Progress>();
  readonly reads = new ReadQueue();
  /** A follower's reads at the leader. */
  readonly forwardedReads = new Map<number, ReadContext>();
  /** A follower's proposals at the leader. */
  readonly forwardedProposals = new Map<number, ReadContext>();
  /** Others' proposals that this leader has taken. */
  readonly takenForwards = new Set<string>();
  /** The leader's snapshot, as far as it is there. */
  assembly: SnapshotAssembly | null = null;
  refusedSnapshotBytes = 0;
  /** The hard state known to be on disk: only a vote that is there counts. */
  persisted: HardState;
  outbox: RaftMessage[] = [];
  readStates: ReadState[] = [];
  forwardResults: ForwardResult[] = [];
  #pieces: SnapshotPieces | null = null;
  /** By the index from which on they hold, ascending; the first holds at the snapshot. */
  #confs: { readonly index: number; readonly conf: ConfState }[];
  #nextRequestId: number;

  constructor(options: RaftOptions) {
    assert(options.heartbeatTicks > 0, `heartbeatTicks ${options.heartbeatTicks} must be positive`);
    assert(
      options.electionTimeoutTicks > options.heartbeatTicks,
      `electionTimeoutTicks ${options.electionTimeoutTicks} must be above heartbeatTicks ${options.heartbeatTicks}`,
    );
    assert(options.inflightMessagesMax > 0, 'inflightMessagesMax must be positive');
    assert(new Set(options.voters).size === options.voters.length, `voters repeat: ${options.voters.join(', ')}`);
    this.id = options.id;
    this.options = {
      ...options,
      applyBytesMax: options.applyBytesMax ?? 4 * 1024 * 1024,
      pendingReadsMax: options.pendingReadsMax ?? 10_000,
      inflightBytesMax: options.inflightBytesMax ?? 8 * 1024 * 1024,
      snapshotChunkBytes: options.snapshotChunkBytes ?? 256 * 1024,
      snapshotBytesMax: options.snapshotBytesMax ?? 1024 * 1024 * 1024,
      snapshotRetryTicks: options.snapshotRetryTicks ?? options.electionTimeoutTicks,
      promotionLagEntriesMax: options.promotionLagEntriesMax ?? 1_000,
      forwardedMax: options.forwardedMax ?? 10_000,
    };
    const { hardState, snapshot } = options.restored;
    this.log = new RaftLog(options.restored);
    assert(hardState.term >= this.log.lastTerm, `restored term ${hardState.term} is below an entry's`);
    this.conf = snapshot?.conf ?? simpleConf(options.voters);
    this.#confs = [{ index: snapshot?.index ?? 0, conf: this.conf }];
    this.term = hardState.term;
    this.vote = hardState.vote;
    this.persisted = hardState;
    // From a random start, so that an answer to a request of an earlier life is not taken for one to a new request.
    this.#nextRequestId = options.rng.u32() * 2 ** 16;
    this.#drawTimeout();
  }

  get hardState(): HardState {
    return { term: this.term, vote: this.vote, commit: this.log.commit };
  }

  /** May this node stand for election? */
  get isPromotable(): boolean {
    const { log, conf, id } = this;
    // A committed configuration that isn't applied yet may have taken the vote, or ask for other voters' ones.
    return log.pendingSnapshot === null && isVoter(conf, id) && !log.hasConfBetween(log.applied, log.commit);
  }

  /** Has the leader committed an entry of its own term, so that its commit index covers all that was ever committed? */
  get hasCommittedInTerm(): boolean {
    return this.log.termAt(this.log.commit) === this.term;
  }

  get commitHint(): CommitHint {
    const { commit } = this.log;
    return { commit, commitTerm: this.log.termAt(commit) ?? 0 };
  }

  send(message: RaftMessage): void {
    this.outbox.push(message);
  }

  becomeFollower(term: number, leader: string | null): void {
    this.#reset(term);
    this.role = 'follower';
    this.leader = leader;
  }

  /** Changes neither term nor vote: a node that was cut off must not disturb the others when it returns. */
  becomePreCandidate(): void {
    assert(this.role !== 'leader', 'a leader asked for pre-votes');
    this.#reset(this.term);
    this.role = 'preCandidate';
  }

  becomeCandidate(): void {
    assert(this.role !== 'leader', 'a leader stood for election');
    this.#reset(this.term + 1);
    this.role = 'candidate';
    this.vote = this.id;
  }

  becomeLeader(): void {
    assert(this.role === 'candidate', `a ${this.role} became leader`);
    this.#reset(this.term);
    this.role = 'leader';
    this.leader = this.id;
    this.#followMembers();
    this.uncommittedBytes = this.log.bytesBetween(this.log.commit, this.log.lastIndex);
  }

  /** Gives a request to the leader a number. Answers may be lost, so the oldest make room: their caller gave them up. */
  noteForwarded(requests: Map<number, ReadContext>, context: ReadContext, limit: number): number {
    for (const oldest of requests.keys()) {
      if (requests.size < limit) break;
      requests.delete(oldest);
    }
    const requestId = this.#nextRequestId++;
    requests.set(requestId, context);
    return requestId;
  }

  /**
   * A configuration entry at `index` is applied, or a snapshot has replaced the log. An entry of the Ready that was under way
   * when a snapshot came is of the past already.
   */
  takeConf(index: number, conf: ConfState): void {
    if (this.#confs.at(-1)!.index > index) return;
    this.conf = conf;
    this.#confs = this.#confs.filter((known) => known.index < index);
    this.#confs.push({ index, conf });
    if (this.role !== 'leader') return;
    this.#followMembers();
    if (this.transferee !== null && !conf.voters.includes(this.transferee)) this.transferee = null;
  }

  /** The configuration at an applied index that the log still has. */
  confAt(index: number): ConfState {
    return this.#confs.findLast((known) => known.index <= index)!.conf;
  }

  /** Nothing before `index` will be asked for any more. */
  forgetConfsBefore(index: number): void {
    const first = this.#confs.findLastIndex((known) => known.index <= index);
    this.#confs = this.#confs.slice(Math.max(0, first));
  }

  piecesOf(snapshot: Snapshot): SnapshotPieces {
    if (this.#pieces?.snapshot !== snapshot) {
      this.#pieces = new SnapshotPieces(snapshot, this.options.snapshotChunkBytes);
    }
    return this.#pieces;
  }

  /** A leader sends to the members of its configuration, and to nobody else. */
  #followMembers(): void {
    const { inflightMessagesMax, inflightBytesMax, electionTimeoutTicks } = this.options;
    const limits = { messagesMax: inflightMessagesMax, bytesMax: inflightBytesMax, activeTicks: electionTimeoutTicks };
    const members = new Set(allMembers(this.conf));
    members.delete(this.id);
    for (const peer of [...this.progress.keys()]) if (!members.has(peer)) this.progress.delete(peer);
    for (const peer of members) {
      if (!this.progress.has(peer)) this.progress.set(peer, new Progress(this.log.lastIndex + 1, limits));
    }
  }

  #reset(term: number): void {
    if (term !== this.term) {
      assert(term > this.term, `term fell from ${this.term} to ${term}`);
      this.term = term;
      this.vote = null;
      this.assembly = null;
    }
    this.leader = null;
    this.electionElapsed = 0;
    this.heartbeatElapsed = 0;
    this.#drawTimeout();
    this.transferee = null;
    this.transferElapsed = 0;
    this.uncommittedBytes = 0;
    this.isCampaignOwed = false;
    this.votes.clear();
    this.progress.clear();
    this.reads.reset();
    this.forwardedReads.clear();
    this.forwardedProposals.clear();
    this.takenForwards.clear();
  }

  setReluctant(isReluctant: boolean): void {
    if (isReluctant === this.isReluctant) return;
    this.isReluctant = isReluctant;
    this.#drawTimeout();
  }

  #drawTimeout(): void {
    const { electionTimeoutTicks, rng } = this.options;
    const delayTicks = this.isReluctant ? 2 * electionTimeoutTicks : electionTimeoutTicks;
    this.randomizedTimeoutTicks = delayTicks + randomBelow(rng, electionTimeoutTicks);
  }
}
