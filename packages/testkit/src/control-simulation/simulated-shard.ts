import { type FromShard, type ShardMove, ShardStats, type ToShard } from '@holdfast/engine';
import { LeaseTableReader } from '@holdfast/lease';
import { type Rng, randomBelow, randomRatio, type Unit } from '@holdfast/model';
import type { ShardLife } from '../simulation/shard-life.ts';
import type { VirtualProcess } from '../simulation/virtual-process.ts';

export interface ShardEvents {
  /** It begins to work on a unit under this epoch. */
  onOpened(shard: SimulatedShard, unit: number, epoch: number): void;
  /** It does something that only the unit's holder may do: applies a record, writes a row. */
  onActed(shard: SimulatedShard, unit: number, epoch: number): void;
  onClosed(shard: SimulatedShard, unit: number): void;
}

export interface ShardSettings {
  readonly process: VirtualProcess;
  readonly rng: Rng;
  readonly nodeId: string;
  readonly index: number;
  /** Different for every shard that ever lived. */
  readonly serial: number;
  readonly units: readonly Unit[];
  readonly events: ShardEvents;
  /** What the store says when this shard calls it; null when it is down. */
  readonly storeGeneration: () => string | null;
}

type Target = Pick<ShardMove, 'session' | 'shard'>;

interface Closing {
  readonly epoch: number;
  /** null: nobody's; its next record finds it a holder. */
  readonly to: Target | null;
}

const turnMsMin = 60;
const turnMsMax = 160;
const repeatMs = 300;
/** One of so many turns calls the store. */
const turnsPerStoreCall = 10;

/**
 * As much of a shard as the control plane sees: it asks for the units of the records it reads, works on those that the
 * table shows as its own, closes them before it has them released, and proves by its heartbeat that it turns.
 */
export class SimulatedShard implements ShardLife {
  readonly stats = new ShardStats();
  readonly settings: ShardSettings;
  session = 0;
  /** Units whose records it reads. */
  readonly wished = new Set<number>();
  /** Epoch of each unit that it works on. */
  readonly open = new Map<number, number>();
  /** Closed and backed up; the end, or the move to another shard, isn't in the table yet. */
  readonly #closing = new Map<number, Closing>();
  #partitions: Extract<ToShard, { kind: 'partitions' }>['partitions'] = [];
  #reader: LeaseTableReader | null = null;
  #listener: (message: FromShard) => void = () => {};
  readonly #repeatAtMs = new Map<number, number>();
  isStuck = false;
  isEnded = false;
  #isStopping = false;
  #generationId: string | null = null;

  constructor(settings: ShardSettings) {
    this.settings = settings;
    const { process, nodeId, serial } = settings;
    process.receive(5, 'shard listens', () => this.say({ kind: 'listening', address: `shard:${nodeId}:${serial}` }));
    this.#scheduleTurn();
  }

  get index(): number {
    return this.settings.index;
  }

  get partitions(): Extract<ToShard, { kind: 'partitions' }>['partitions'] {
    return this.#partitions;
  }

  onMessage(listener: (message: FromShard) => void): void {
    this.#listener = listener;
  }

  say(message: FromShard): void {
    if (!this.isEnded) this.#listener(message);
  }

  post(message: ToShard): void {
    if (message.kind === 'advanced') return;
    this.settings.process.receive(randomRatio(this.settings.rng) * 2, `to shard: ${message.kind}`, () => {
      if (!this.isEnded) this.#take(message);
    });
  }

  end(): void {
    this.isEnded = true;
    for (const unit of [...this.open.keys()]) this.#close(unit);
  }

  /** No records of the unit come any more: back up, close, have the lease ended. */
  forget(unit: number): void {
    this.wished.delete(unit);
    this.#leave(unit, null);
  }

  #leave(unit: number, to: Target | null): void {
    const epoch = this.open.get(unit);
    if (epoch === undefined) return;
    this.#close(unit);
    this.#closing.set(unit, { epoch, to });
  }

  #handOver(plan: readonly ShardMove[]): void {
    for (const { count, session, shard } of plan) {
      for (const unit of [...this.open.keys()].slice(0, count)) this.#leave(unit, { session, shard });
    }
  }

  #take(message: ToShard): void {
    switch (message.kind) {
      case 'table':
        if (this.#reader === null) this.#reader = new LeaseTableReader(message.buffer);
        else this.#reader.attach(message.buffer);
        return;
      case 'session':
        this.session = message.session;
        return;
      case 'partitions':
        this.#partitions = message.partitions;
        return;
      case 'generation':
        this.#generationId = message.generationId;
        return;
      case 'handOver':
        this.#handOver(message.plan);
        return;
      case 'moveUnit': {
        const unit = this.settings.units.findIndex(({ hi, lo }) => hi === message.hi && lo === message.lo);
        this.#leave(unit, { session: message.session, shard: message.shard });
        return;
      }
      case 'stop':
        this.#isStopping = true;
        this.wished.clear();
        for (const unit of [...this.open.keys()]) this.forget(unit);
        this.settings.process.setTimer(20 + randomBelow(this.settings.rng, 300), () => this.say({ kind: 'stopped' }));
        return;
      case 'query':
        this.say({ kind: 'answer', id: message.id, user: null });
        return;
      default:
    }
  }

  #scheduleTurn(): void {
    const { process, rng } = this.settings;
    process.setTimer(turnMsMin + randomBelow(rng, turnMsMax - turnMsMin), () => {
      if (this.isEnded) return;
      this.#scheduleTurn();
      if (!this.isStuck) this.#turn();
    });
  }

  #turn(): void {
    this.stats.add('heartbeat', 1);
    const reader = this.#reader;
    if (this.session === 0 || reader === null) return;
    this.#callStore();
    const acquire: number[] = [];
    const ends: { readonly to: Target | null; readonly quadruple: readonly number[] }[] = [];
    for (const [unit, { hi, lo }] of this.settings.units.entries()) {
      const isHeld = reader.lookup(hi, lo);
      const isMine = isHeld && reader.session === this.session && reader.shard === this.settings.index;
      if (isMine) this.#holds(unit, reader.epoch, (to, quadruple) => ends.push({ to, quadruple }));
      else {
        if (this.open.has(unit)) this.#close(unit);
        this.#closing.delete(unit);
        if (!isHeld && this.wished.has(unit) && this.#isDue(unit)) acquire.push(hi, lo);
      }
    }
    if (acquire.length > 0) this.say({ kind: 'acquire', units: Uint32Array.from(acquire) });
    const releases = ends.filter(({ to }) => to === null).flatMap(({ quadruple }) => quadruple);
    if (releases.length > 0) this.say({ kind: 'release', units: Uint32Array.from(releases) });
    for (const { to, quadruple } of ends) {
      if (to !== null)
        this.say({ kind: 'move', session: to.session, shard: to.shard, units: Uint32Array.from(quadruple) });
    }
  }

  #callStore(): void {
    const { rng, storeGeneration } = this.settings;
    if (this.#generationId === null || randomBelow(rng, turnsPerStoreCall) > 0) return;
    const generationId = storeGeneration();
    if (generationId !== null && generationId !== this.#generationId)
      this.say({ kind: 'generationSeen', generationId });
  }

  #holds(unit: number, epoch: number, end: (to: Target | null, quadruple: readonly number[]) => void): void {
    const { events, rng, units } = this.settings;
    const closing = this.#closing.get(unit);
    if (closing !== undefined && closing.epoch !== epoch) this.#closing.delete(unit);
    else if (closing !== undefined) {
      if (!this.#isDue(unit)) return;
      const { hi, lo } = units[unit]!;
      // Its target may be over by now: then it is to have no holder, rather than wait for one.
      const to = closing.to !== null && randomBelow(rng, 4) > 0 ? closing.to : null;
      this.#closing.set(unit, { epoch, to });
      end(to, [hi, lo, Math.floor(epoch / 2 ** 32), epoch >>> 0]);
      return;
    }
    if (this.#isStopping) return;
    if (this.open.get(unit) !== epoch) {
      this.open.set(unit, epoch);
      events.onOpened(this, unit, epoch);
    }
    if (randomBelow(rng, 3) === 0) events.onActed(this, unit, epoch);
  }

  #close(unit: number): void {
    this.open.delete(unit);
    this.settings.events.onClosed(this, unit);
  }

  #isDue(unit: number): boolean {
    const nowMs = this.settings.process.monotonicMs();
    if (nowMs < (this.#repeatAtMs.get(unit) ?? 0)) return false;
    this.#repeatAtMs.set(unit, nowMs + repeatMs);
    return true;
  }
}
