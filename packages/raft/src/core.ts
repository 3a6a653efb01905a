import { assert, randomBelow } from '@holdfast/model';
import type { RaftMessage } from './messages.ts';
import { Progress } from './progress.ts';
import { RaftLog } from './raft-log.ts';
import { ReadQueue } from './read-only.ts';
import type { HardState, RaftOptions, ReadContext, ReadState, Role } from './types.ts';

/**
 * State of one voter, and the transitions that all roles share. What each role does with messages and ticks is in the
 * file of that name; they change the state and put messages into `outbox`, nothing else.
 *
 *   follower --timeout--> preCandidate --quorum would vote--> candidate --quorum voted--> leader
 *   any --higher term, or a leader in this term--> follower;  leader --quorum silent--> follower
 */
export class RaftCore {
  readonly id: string;
  readonly options: Required<RaftOptions>;
  readonly log: RaftLog;
  voters: readonly string[];
  term: number;
  vote: string | null;
  role: Role = 'follower';
  leader: string | null = null;
  /** Ticks since the leader was heard or an election began; at a leader since it last checked its quorum. */
  electionElapsed = 0;
  heartbeatElapsed = 0;
  randomizedTimeoutTicks = 0;
  /** Where a leader hands its office to, and for how many ticks it has waited. */
  transferee: string | null = null;
  transferElapsed = 0;
  /** Payload after the commit index; kept at a leader only. */
  uncommittedBytes = 0;
  /** Answers in the election under way. */
  readonly votes = new Map<string, boolean>();
  /** Of the other voters; filled at a leader only. */
  readonly progress = new Map<string, Progress>();
  readonly reads = new ReadQueue();
  /** A follower's reads at the leader. */
  readonly forwardedReads = new Map<number, ReadContext>();
  /** The hard state known to be on disk: only a vote that is there counts. */
  persisted: HardState;
  outbox: RaftMessage[] = [];
  readStates: ReadState[] = [];
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
      snapshotRetryTicks: options.snapshotRetryTicks ?? 10 * options.electionTimeoutTicks,
    };
    const { hardState, snapshot } = options.restored;
    this.log = new RaftLog(options.restored);
    assert(hardState.term >= this.log.lastTerm, `restored term ${hardState.term} is below an entry's`);
    this.voters = snapshot?.voters ?? options.voters;
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
    return this.log.pendingSnapshot === null && this.voters.includes(this.id);
  }

  /** Has the leader committed an entry of its own term, so that its commit index covers all that was ever committed? */
  get hasCommittedInTerm(): boolean {
    return this.log.termAt(this.log.commit) === this.term;
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
    for (const voter of this.voters) {
      if (voter === this.id) continue;
      this.progress.set(voter, new Progress(this.log.lastIndex + 1, this.options.inflightMessagesMax));
    }
    this.uncommittedBytes = this.log.bytesBetween(this.log.commit, this.log.lastIndex);
  }

  nextRequestId(): number {
    return this.#nextRequestId++;
  }

  #reset(term: number): void {
    if (term !== this.term) {
      assert(term > this.term, `term fell from ${this.term} to ${term}`);
      this.term = term;
      this.vote = null;
    }
    this.leader = null;
    this.electionElapsed = 0;
    this.heartbeatElapsed = 0;
    this.#drawTimeout();
    this.transferee = null;
    this.transferElapsed = 0;
    this.uncommittedBytes = 0;
    this.votes.clear();
    this.progress.clear();
    this.reads.reset();
    this.forwardedReads.clear();
  }

  #drawTimeout(): void {
    const { electionTimeoutTicks, rng } = this.options;
    this.randomizedTimeoutTicks = electionTimeoutTicks + randomBelow(rng, electionTimeoutTicks);
  }
}
