import { type Rng, randomBelow, randomRatio, SeededRng } from '@holdfast/model';
import { ImmediateTime, type NetworkTime } from './network-time.ts';

/** What may go wrong between sites, beside cuts and crashes. All off by default. */
export interface NetworkFaults {
  /** Each delivery takes a time between these, drawn evenly. Order within a connection stays. */
  delayMsMin: number;
  delayMsMax: number;
  /** Raft batches, call requests and call replies that are lost. */
  lossRatio: number;
  /** Raft batches that arrive twice. */
  duplicateRatio: number;
  /** Frames and returns at which their stream breaks. */
  streamBreakRatio: number;
  /** Until the ends of a cut connection notice. */
  noticeMs: number;
}

export interface MemoryNetworkOptions {
  /** Default: no delay takes time by itself (`ImmediateTime`). */
  readonly time?: NetworkTime;
  readonly rng?: Rng;
  readonly faults?: Partial<NetworkFaults>;
}

/** One end of a connection, at a site: what the network may do to it. */
export interface Attached {
  readonly site: string;
  /** Its site is gone: no event may reach it any more, nothing it does has effect. */
  vanish(): void;
  /** Another site is gone, and its connections to this one with it. */
  onSiteCrashed?(site: string): void;
  /** Some cut is healed: what it held up may go on. */
  onHealed?(): void;
}

/** A connection between two sites. */
export interface Link {
  readonly from: string;
  readonly to: string;
  /** It has been cut for long enough, or a site of it is gone. */
  sever(reason: string): void;
  /** A cut is healed: go on. */
  resume(): void;
}

/**
 * A network inside one process: sites, addresses, delays, loss, cuts, crashes. The same seed and the same calls give the
 * same deliveries. The transports that use it are `MemoryRecordTransport` and `MemoryPeerTransport`.
 */
export class MemoryNetwork {
  readonly time: NetworkTime;
  /** May be changed at any moment. */
  readonly faults: NetworkFaults;
  readonly #rng: Rng;
  readonly #listeners = new Map<string, Attached>();
  readonly #attached = new Set<Attached>();
  readonly #links = new Set<Link>();
  readonly #cuts = new Map<string, number>();
  #cutCount = 0;
  #addressCount = 0;

  constructor(options: MemoryNetworkOptions = {}) {
    this.time = options.time ?? new ImmediateTime();
    this.#rng = options.rng ?? new SeededRng(1);
    this.faults = {
      delayMsMin: 0,
      delayMsMax: 0,
      lossRatio: 0,
      duplicateRatio: 0,
      streamBreakRatio: 0,
      noticeMs: 8_000,
      ...options.faults,
    };
  }

  /** Nothing that `from` sends reaches `to` any more. Connections notice after `noticeMs`, unless it is healed before. */
  cut(from: string, to: string): void {
    const id = ++this.#cutCount;
    this.#cuts.set(cutKey(from, to), id);
    const noticeMs = this.faults.noticeMs;
    this.time.setTimer(noticeMs, () => {
      if (this.#cuts.get(cutKey(from, to)) !== id) return;
      for (const link of this.#between(from, to)) link.sever(`no sign of life for ${noticeMs} ms`);
    });
  }

  /** Undoes `cut(from, to)`. */
  heal(from: string, to: string): void {
    if (!this.#cuts.delete(cutKey(from, to))) return;
    for (const link of this.#between(from, to)) link.resume();
    for (const end of [...this.#attached]) end.onHealed?.();
  }

  healAll(): void {
    this.#cuts.clear();
    for (const link of [...this.#links]) link.resume();
    for (const end of [...this.#attached]) end.onHealed?.();
  }

  /** Cuts a site off from all others, both ways. */
  isolate(site: string): void {
    for (const other of new Set([...this.#attached].map((end) => end.site))) {
      if (other === site) continue;
      this.cut(site, other);
      this.cut(other, site);
    }
  }

  /** The process at a site is gone: it falls silent at once, the other ends hear of it (unless they are cut off). */
  crash(site: string): void {
    for (const end of [...this.#attached]) if (end.site === site) end.vanish();
    for (const link of [...this.#links]) {
      const other = link.from === site ? link.to : link.from;
      if ((link.from === site || link.to === site) && !this.isCut(site, other)) link.sever('connection reset');
    }
    for (const end of [...this.#attached]) if (!this.isCut(site, end.site)) end.onSiteCrashed?.(site);
  }

  // What follows is for the transports.

  isCut(from: string, to: string): boolean {
    return this.#cuts.has(cutKey(from, to));
  }

  newAddress(site: string): string {
    return `memory:${site}:${++this.#addressCount}`;
  }

  /** The site of an address that `newAddress` made; of another one, that of who listens there. */
  siteOf(address: string): string {
    return this.#listeners.get(address)?.site ?? /^memory:(.*):\d+$/.exec(address)?.[1] ?? '';
  }

  attach(end: Attached): void {
    this.#attached.add(end);
  }

  detach(end: Attached): void {
    this.#attached.delete(end);
  }

  /** False when somebody listens there already. */
  listen(address: string, end: Attached): boolean {
    if (this.#listeners.has(address)) return false;
    this.#listeners.set(address, end);
    return true;
  }

  unlisten(address: string, end: Attached): void {
    if (this.#listeners.get(address) === end) this.#listeners.delete(address);
  }

  listener(address: string): Attached | undefined {
    return this.#listeners.get(address);
  }

  addLink(link: Link): void {
    this.#links.add(link);
  }

  removeLink(link: Link): void {
    this.#links.delete(link);
  }

  drawDelayMs(): number {
    const { delayMsMin, delayMsMax } = this.faults;
    return delayMsMax <= delayMsMin ? delayMsMin : delayMsMin + randomBelow(this.#rng, delayMsMax - delayMsMin + 1);
  }

  draw(ratio: number): boolean {
    return ratio > 0 && randomRatio(this.#rng) < ratio;
  }

  drawBelow(limit: number): number {
    return randomBelow(this.#rng, limit);
  }

  #between(from: string, to: string): Link[] {
    return [...this.#links].filter(
      (link) => (link.from === from && link.to === to) || (link.from === to && link.to === from),
    );
  }
}

/** What a transport throws whose address is taken. */
export function addressInUse(address: string): Error & { readonly code: 'ADDRESS_IN_USE'; readonly address: string } {
  return Object.assign(new Error(`somebody listens on ${address}`), { code: 'ADDRESS_IN_USE' as const, address });
}

function cutKey(from: string, to: string): string {
  return `${from} -> ${to}`;
}
