import type { BackupStore, Claim, ClaimResult, Mark, RowResult, RowWrite, StoreAnswer } from '@holdfast/engine';
import { type NodeId, type PartitionId, type Rng, randomBelow } from '@holdfast/model';
import type { VirtualProcess } from '../simulation/virtual-process.ts';
import type { VirtualTime } from '../simulation/virtual-time.ts';
import { ServiceLine, type ServiceState } from './service-line.ts';
import { StoreLife } from './store-life.ts';

/** Who looks at what the store does. `client` is the shard that called, by its serial. */
export interface StoreEvents {
  onClaimed(life: StoreLife, client: number, claim: Claim, result: ClaimResult): void;
  onBackup(life: StoreLife, client: number, row: RowWrite, result: RowResult): void;
  onMarked(life: StoreLife, client: number, marks: readonly Mark[]): void;
  /** A claim's answer has reached the shard. */
  onClaimAnswered(client: number, claim: Claim, result: ClaimResult): void;
  /** The answer to a row has. */
  onBackupAnswered(client: number, row: RowWrite, result: RowResult): void;
  onNewLife(life: StoreLife, before: StoreLife): void;
}

/** The backup store of the world: one life after the other, and what is wrong with it now. */
export class ClusterStore {
  readonly #time: VirtualTime;
  readonly #rng: Rng;
  readonly #events: StoreEvents;
  readonly #highestEpoch: number;
  readonly lives: StoreLife[];
  /** How often a leader found a store that doesn't continue the one before. */
  replaced = 0;
  downUntilMs = 0;
  frozenUntilMs = 0;
  lossyUntilMs = 0;
  slowUntilMs = 0;
  slowMs = 0;
  /** Nodes that can't reach it, and until when. */
  readonly cutOff = new Map<NodeId, number>();
  /** Nodes that still talk to the store of before, and until when. */
  readonly #split = new Map<NodeId, { readonly life: StoreLife; readonly untilMs: number }>();

  constructor(time: VirtualTime, rng: Rng, events: StoreEvents, highestEpoch: number) {
    this.#time = time;
    this.#rng = rng;
    this.#events = events;
    this.#highestEpoch = highestEpoch;
    this.lives = [new StoreLife('life-1')];
  }

  get life(): StoreLife {
    return this.lives.at(-1)!;
  }

  get generationId(): string {
    return this.life.generationId;
  }

  heal(): void {
    this.downUntilMs = 0;
    this.frozenUntilMs = 0;
    this.lossyUntilMs = 0;
    this.slowUntilMs = 0;
    this.cutOff.clear();
    this.#split.clear();
  }

  /** An empty one takes its place. */
  wipe(): string {
    return this.#next(new StoreLife(this.#nextId()));
  }

  /** A replica takes its place, which lacks the last writes: of all buckets, or of some. */
  failOver(isLost: (bucket: number) => boolean): string {
    const most = Math.min(this.life.journalLength, 1 + randomBelow(this.#rng, 400));
    const count = randomBelow(this.#rng, most + 1);
    return `${this.#next(this.life.successor(this.#nextId(), count, isLost))}, ${count} writes lost`;
  }

  /** As a failover, but some nodes don't hear of it: the old master still takes their writes. */
  split(nodes: readonly NodeId[], untilMs: number): string {
    for (const node of nodes) this.#split.set(node, { life: this.life, untilMs });
    return `${this.failOver(() => true)}; ${nodes.join()} stay behind`;
  }

  /** The store port of one thread. */
  client(nodeId: NodeId, thread: VirtualProcess, client: number): BackupStore {
    const line = new ServiceLine(this.#time, this.#rng, thread);
    const state = (): ServiceState => this.#state(nodeId);
    const failure = (text: string): Error => new Error(`the store ${text}`);
    const ask = <T>(name: string, act: (life: StoreLife) => T): Promise<T> =>
      line.call({ name, state, failure, act: () => act(this.#lifeFor(nodeId)) });
    const call = <T>(name: string, generationId: string, act: (life: StoreLife) => T[]): Promise<StoreAnswer<T>> =>
      ask(name, (life): StoreAnswer<T> => {
        if (life.generationId !== generationId) return { code: 'GENERATION', generationId: life.generationId };
        return { code: 'OK', results: act(life) };
      });
    return {
      generationId: () => ask('generationId', (life) => life.generationId),
      adopt: (generationId, current) =>
        call('adopt', generationId, (life) => {
          const continues = life.adopt(generationId, current);
          if (!continues) this.replaced++;
          return [continues];
        }),
      claim: async (generationId, claims) => {
        const answer = await call('claim', generationId, (life) =>
          claims.map((claim) => {
            const result = life.claim(claim);
            this.#events.onClaimed(life, client, claim, result);
            return result;
          }),
        );
        if (answer.code !== 'OK') return answer;
        for (const [i, result] of answer.results.entries()) this.#events.onClaimAnswered(client, claims[i]!, result);
        return answer;
      },
      backup: (generationId, rows) => {
        const calling = call('backup', generationId, (life) =>
          rows.map((row) => {
            const result = life.backup(row);
            this.#events.onBackup(life, client, row, result);
            return result;
          }),
        );
        const look = (answer: StoreAnswer<RowResult>): void => {
          if (answer.code !== 'OK') return;
          for (const [i, result] of answer.results.entries()) this.#events.onBackupAnswered(client, rows[i]!, result);
        };
        calling.then(look, () => {});
        return calling;
      },
      mark: (generationId, marks) =>
        call('mark', generationId, (life) => {
          life.mark(marks);
          this.#events.onMarked(life, client, marks);
          return marks.map(() => 'ok' as const);
        }),
      leastMarker: (generationId, partition: PartitionId) =>
        call('leastMarker', generationId, (life) => [life.leastMarker(partition)]),
      highestEpoch: () =>
        ask('highestEpoch', ({ rows }) =>
          [...rows.values()].reduce((highest, { epoch }) => Math.max(highest, epoch), this.#highestEpoch),
        ),
      read: () => ask('read', () => null),
      scan: async function* () {},
      close: async () => {},
    };
  }

  #state(nodeId: NodeId): ServiceState {
    const { nowMs } = this.#time;
    const isLossy = nowMs < this.lossyUntilMs;
    return {
      isDown: nowMs < this.downUntilMs,
      isCutOff: nowMs < (this.cutOff.get(nodeId) ?? 0),
      frozenUntilMs: this.frozenUntilMs,
      lossRatio: isLossy ? 0.15 : 0,
      replyLossRatio: isLossy ? 0.25 : 0,
      delayMsMax: nowMs < this.slowUntilMs ? this.slowMs : 2,
    };
  }

  #lifeFor(nodeId: NodeId): StoreLife {
    const stays = this.#split.get(nodeId);
    return stays !== undefined && this.#time.nowMs < stays.untilMs ? stays.life : this.life;
  }

  #nextId(): string {
    return `life-${this.lives.length + 1}`;
  }

  #next(life: StoreLife): string {
    const before = this.life;
    this.lives.push(life);
    this.#events.onNewLife(life, before);
    return life.generationId;
  }
}
