import { parentPort, workerData } from 'node:worker_threads';
import { type FromShard, ShardStats } from '@holdfast/engine';
import { LeaseTableReader } from '@holdfast/lease';
import type { SessionId } from '@holdfast/model';
import {
  type AskResult,
  type FromAskingShard,
  type SteadyResult,
  type ToAskingShard,
  unitHi,
  unitLo,
} from './bench-messages.ts';

/** As the ingest of a shard does: what got no answer is asked for again after this. */
const repeatMs = 1_000;
const unitsPerMessage = 1_000;
const heartbeatMs = 50;

/** A run over a list of units: keeps a window of them asked for, and is done when it has read a grant of each. */
class Asking {
  readonly #units: Int32Array;
  readonly #window: number;
  readonly #start = performance.now();
  readonly #done: (result: AskResult) => void;
  #head = 0;
  #next = 0;
  #movedAtMs = this.#start;
  #repeated = 0;

  constructor(units: Int32Array, window: number, done: (result: AskResult) => void) {
    this.#units = units;
    this.#window = window;
    this.#done = done;
  }

  /** True when it is over. */
  look(shard: AskingShard): boolean {
    const before = this.#head;
    while (this.#head < this.#next && shard.isGranted(this.#units[this.#head]!)) this.#head++;
    const nowMs = performance.now();
    if (this.#head > before) this.#movedAtMs = nowMs;
    if (this.#head === this.#units.length) {
      const seconds = (nowMs - this.#start) / 1000;
      this.#done({ granted: this.#head, seconds, repeated: this.#repeated });
      return true;
    }
    if (this.#head < this.#next && nowMs - this.#movedAtMs > repeatMs) this.#repeat(shard, nowMs);
    while (this.#next < this.#units.length && this.#next - this.#head + unitsPerMessage <= this.#window) {
      const end = Math.min(this.#next + unitsPerMessage, this.#units.length);
      shard.ask(this.#units.subarray(this.#next, end));
      this.#next = end;
    }
    return false;
  }

  #repeat(shard: AskingShard, nowMs: number): void {
    this.#movedAtMs = nowMs;
    const waiting = this.#units.subarray(this.#head, this.#next).filter((unit) => !shard.isGranted(unit));
    this.#repeated += waiting.length;
    for (let at = 0; at < waiting.length; at += unitsPerMessage) {
      shard.ask(waiting.subarray(at, at + unitsPerMessage));
    }
  }
}

/**
 * New keys at an even rate, as many per millisecond as it takes, until it is ended or all have been asked for; each one's
 * time runs until its grant is read.
 */
class Steady {
  readonly #from: number;
  readonly #ratePerMs: number;
  readonly #start = performance.now();
  readonly #done: (result: SteadyResult) => void;
  readonly #askedAtMs: Float64Array;
  readonly #tookMs: Float64Array;
  #count: number;
  #waiting: number[] = [];
  #asked = 0;
  #granted = 0;
  #lateMsMax = 0;
  #lastRepeatMs = this.#start;

  constructor(from: number, perSecond: number, seconds: number, done: (result: SteadyResult) => void) {
    this.#from = from;
    this.#ratePerMs = perSecond / 1000;
    this.#count = Math.round(perSecond * seconds);
    this.#done = done;
    this.#askedAtMs = new Float64Array(this.#count);
    this.#tookMs = new Float64Array(this.#count);
  }

  tick(shard: AskingShard): void {
    const nowMs = performance.now();
    const due = Math.min(this.#count, Math.floor((nowMs - this.#start) * this.#ratePerMs));
    if (due > this.#asked) {
      this.#lateMsMax = Math.max(this.#lateMsMax, nowMs - this.#start - this.#asked / this.#ratePerMs);
      const units = new Int32Array(due - this.#asked);
      for (let i = 0; i < units.length; i++) {
        this.#waiting.push(this.#asked);
        this.#askedAtMs[this.#asked] = nowMs;
        units[i] = this.#from + this.#asked++;
      }
      shard.ask(units);
    }
    if (nowMs - this.#lastRepeatMs > repeatMs) this.#repeat(shard, nowMs);
  }

  /** No more keys: over when those that were asked for are granted. */
  end(): void {
    this.#count = this.#asked;
  }

  /** True when it is over. */
  look(shard: AskingShard): boolean {
    const nowMs = performance.now();
    this.#waiting = this.#waiting.filter((i) => {
      if (!shard.isGranted(this.#from + i)) return true;
      this.#tookMs[this.#granted++] = nowMs - this.#askedAtMs[i]!;
      return false;
    });
    if (this.#granted < this.#count) return false;
    const sorted = this.#tookMs.subarray(0, this.#count).sort();
    const at = (ratio: number): number => sorted[Math.min(this.#count - 1, Math.floor(this.#count * ratio))]!;
    const [p50Ms, p99Ms, maxMs] = [at(0.5), at(0.99), at(1)];
    this.#done({ granted: this.#granted, p50Ms, p99Ms, maxMs, lateMsMax: this.#lateMsMax });
    return true;
  }

  #repeat(shard: AskingShard, nowMs: number): void {
    this.#lastRepeatMs = nowMs;
    const old = this.#waiting.filter((i) => nowMs - this.#askedAtMs[i]! > repeatMs);
    if (old.length > 0) shard.ask(Int32Array.from(old, (i) => this.#from + i));
  }
}

/** A shard that reads no records: it asks for units and watches its own view of the lease table. */
class AskingShard {
  readonly #stats: ShardStats;
  readonly #send: (message: FromAskingShard) => void;
  #table: LeaseTableReader | null = null;
  readonly #running = new Set<Asking | Steady>();
  #collected = new Int32Array(0);
  /** Begins with the collected units once this session has ended. */
  #awaited: { readonly session: SessionId; readonly begin: () => void } | null = null;

  constructor(stats: ShardStats, send: (message: FromAskingShard) => void) {
    this.#stats = stats;
    this.#send = send;
    const say: FromShard = { kind: 'listening', address: 'none' };
    send(say);
    setInterval(() => {
      stats.add('heartbeat', 1);
      this.#look();
    }, heartbeatMs);
  }

  isGranted(unit: number): boolean {
    return this.#table!.lookup(unitHi(unit), unitLo(unit));
  }

  ask(numbers: Int32Array): void {
    const units = new Uint32Array(numbers.length * 2);
    for (const [i, unit] of numbers.entries()) {
      units[2 * i] = unitHi(unit);
      units[2 * i + 1] = unitLo(unit);
    }
    this.#send({ kind: 'acquire', units });
  }

  receive(message: ToAskingShard): void {
    switch (message.kind) {
      case 'table':
        if (this.#table === null) this.#table = new LeaseTableReader(message.buffer);
        else this.#table.attach(message.buffer);
        this.#look();
        return;
      case 'advanced':
        this.#look();
        return;
      case 'stop':
        this.#send({ kind: 'stopped' });
        return;
      case 'request':
        this.#request(message.id, message.method, message.args as Record<string, number>);
        return;
      default:
        return;
    }
  }

  #request(id: number, method: string, args: Record<string, number>): void {
    const done = (result: unknown): void => this.#send({ kind: 'reply', id, result });
    switch (method) {
      case 'ask':
        this.#begin(new Asking(range(args.from!, args.count!), args.window!, done));
        return;
      case 'steady':
        this.#beginSteady(new Steady(args.from!, args.perSecond!, args.seconds!, done));
        return;
      case 'endSteady':
        for (const running of this.#running) if (running instanceof Steady) running.end();
        this.#look();
        done(null);
        return;
      case 'collect':
        this.#collected = this.#heldBy(args as never);
        done(this.#collected.length);
        return;
      case 'askCollected': {
        const begin = (): void => this.#begin(new Asking(this.#collected, args.window!, done));
        this.#awaited = { session: args.session! as SessionId, begin };
        this.#look();
        return;
      }
      default:
        this.#send({ kind: 'reply', id, error: `no method ${method}` });
    }
  }

  /** Every `of`-th unit, from `share` on, of those that a session holds. */
  #heldBy({ from, count, session, share, of }: Record<'from' | 'count' | 'session' | 'share' | 'of', number>) {
    const table = this.#table!;
    let seen = 0;
    return range(from, count).filter((unit) => {
      return table.lookup(unitHi(unit), unitLo(unit)) && table.session === session && seen++ % of === share;
    });
  }

  #begin(running: Asking | Steady): void {
    this.#running.add(running);
    this.#look();
  }

  #beginSteady(steady: Steady): void {
    this.#begin(steady);
    const tick = (): void => {
      if (!this.#running.has(steady)) return;
      steady.tick(this);
      setTimeout(tick, 1);
    };
    tick();
  }

  #look(): void {
    if (this.#awaited !== null && !this.#table!.isLive(this.#awaited.session)) {
      const { begin } = this.#awaited;
      this.#awaited = null;
      begin();
    }
    for (const running of this.#running) if (running.look(this)) this.#running.delete(running);
    this.#stats.set('unitsHeld', this.#collected.length);
  }
}

function range(from: number, count: number): Int32Array {
  return Int32Array.from({ length: count }, (_, i) => from + i);
}

const port = parentPort!;
const { stats } = workerData as { readonly stats: SharedArrayBuffer };
const shard = new AskingShard(new ShardStats(stats), (message) => port.postMessage(message));
port.on('message', (message: ToAskingShard) => shard.receive(message));
