import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { percentile } from '@holdfast/testkit';
import type { MemberArguments } from './member-process.ts';

export type Adapter = MemberArguments['adapter'];

const program = fileURLToPath(new URL('./member-process.ts', import.meta.url));
const names = ['n1', 'n2', 'n3'] as const;
/** Several runs side by side don't meet; the last digit is the member's number. */
const portBase = 27_000 + 10 * (process.pid % 200);
/** A dead member that isn't found for so long is never found. */
const giveUpMs = 20_000;

interface Event {
  readonly observer: string;
  readonly atMs: number;
  readonly kind: string;
  readonly member: string;
}

/** Three members, each a process of its own, on loopback. */
class Members {
  readonly #adapter: Adapter;
  readonly #lossRatio: number;
  readonly #children = new Map<string, ChildProcess>();
  readonly #starts = new Map<string, number>();
  events: Event[] = [];

  constructor(adapter: Adapter, lossRatio: number) {
    this.#adapter = adapter;
    this.#lossRatio = lossRatio;
  }

  async startAll(): Promise<void> {
    for (const name of names) await this.start(name);
  }

  async start(name: string): Promise<void> {
    const startCounter = (this.#starts.get(name) ?? 0) + 1;
    this.#starts.set(name, startCounter);
    const port = portBase + Number(name.slice(1));
    const seeds = names
      .filter((other) => other !== name)
      .map((other) => `127.0.0.1:${portBase + Number(other.slice(1))}`);
    const { lossRatio, adapter } = { lossRatio: this.#lossRatio, adapter: this.#adapter };
    const args: MemberArguments = { adapter, name, port, seeds, startCounter, lossRatio };
    const child = spawn(process.execPath, ['--conditions=source', program, JSON.stringify(args)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#children.set(name, child);
    createInterface({ input: child.stdout! }).on('line', (line) => {
      this.events.push({ observer: name, ...JSON.parse(line) });
    });
    await this.until((event) => event.observer === name && event.kind === 'ready', giveUpMs);
  }

  signal(name: string, signal: NodeJS.Signals): void {
    this.#children.get(name)?.kill(signal);
  }

  stopAll(): void {
    for (const child of this.#children.values()) child.kill('SIGKILL');
  }

  async until(match: (event: Event) => boolean, timeoutMs: number): Promise<Event | null> {
    const endMs = performance.now() + timeoutMs;
    for (;;) {
      const found = this.events.find(match);
      if (found !== undefined || performance.now() > endMs) return found ?? null;
      await sleep(10);
    }
  }

  deaths(member: (name: string) => boolean): number {
    return this.events.filter((event) => event.kind === 'died' && member(event.member)).length;
  }
}

/** kill -9, again and again: until all others show it dead. */
export async function killFigures(adapter: Adapter, kills: number): Promise<object> {
  const members = new Members(adapter, 0);
  const tookMs: number[] = [];
  let never = 0;
  try {
    await members.startAll();
    for (let kill = 0; kill < kills; kill++) {
      await sleep(2_500 + Math.random() * 1_000);
      const victim = names[kill % names.length]!;
      members.events = [];
      const startMs = performance.timeOrigin + performance.now();
      members.signal(victim, 'SIGKILL');
      const deaths = await Promise.all(
        names
          .filter((name) => name !== victim)
          .map((observer) =>
            members.until((e) => e.observer === observer && e.kind === 'died' && e.member === victim, giveUpMs),
          ),
      );
      if (deaths.some((death) => death === null)) never++;
      else tookMs.push(Math.max(...deaths.map((death) => death!.atMs)) - startMs);
      members.events = [];
      await members.start(victim);
      if (never >= 3) break;
    }
  } finally {
    members.stopAll();
  }
  tookMs.sort((a, b) => a - b);
  const found = tookMs.length > 0;
  return {
    kills: tookMs.length + never,
    neverFound: never,
    p50Ms: found ? percentile(tookMs, 0.5) : null,
    p99Ms: found ? percentile(tookMs, 0.99) : null,
  };
}

/** Nobody dies; n1 may be starved: `strobe` 100 ms on and off, `pauses` of 0.4 s on average and at most 2.5 s. */
export async function quietFigures(
  adapter: Adapter,
  seconds: number,
  starvation: 'none' | 'strobe' | 'pauses',
  lossRatio: number,
): Promise<object> {
  const members = new Members(adapter, lossRatio);
  try {
    await members.startAll();
    await sleep(3_000);
    members.events = [];
    const endMs = performance.now() + seconds * 1000;
    while (performance.now() < endMs) {
      if (starvation === 'none') {
        await sleep(Math.min(1_000, endMs - performance.now()));
        continue;
      }
      const strobe = starvation === 'strobe';
      await sleep(strobe ? 100 : 20 + 180 * Math.random());
      members.signal('n1', 'SIGSTOP');
      await sleep(strobe ? 100 : Math.min(2_500, -400 * Math.log(1 - Math.random())));
      members.signal('n1', 'SIGCONT');
    }
    const hours = (seconds / 3600) * names.length;
    const falseDeaths = members.deaths((name) => starvation === 'none' || name !== 'n1');
    return {
      seconds,
      falseDeaths,
      falseDeathsPerNodeHour: falseDeaths / hours,
      deathsOfStarved: starvation === 'none' ? 0 : members.deaths((name) => name === 'n1'),
      suspicions: members.events.filter(({ kind }) => kind === 'suspected').length,
    };
  } finally {
    members.stopAll();
  }
}
