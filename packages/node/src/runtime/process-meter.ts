import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { NodeReport } from '../status/node-report.ts';
import { RateMeter } from '../status/rate-meter.ts';

const sampleMs = 1_000;
const windowMs = 5_000;
const resolutionMs = 10;

/** What this process costs: CPU of all its threads, memory, how late its control loop is. */
export class ProcessMeter {
  readonly #delay = monitorEventLoopDelay({ resolution: resolutionMs });
  readonly #cpu = new RateMeter(windowMs);
  readonly #timer: NodeJS.Timeout;
  #loopP99Ms: number | null = null;

  constructor() {
    this.#delay.enable();
    this.#timer = setInterval(() => this.#sample(), sampleMs);
    this.#timer.unref();
  }

  #sample(): void {
    const { user, system } = process.cpuUsage();
    this.#cpu.sample(performance.now(), (user + system) / 1e6);
    // The histogram holds the time between two looks, not only what it was late.
    this.#loopP99Ms = this.#delay.count === 0 ? null : Math.max(this.#delay.percentile(99) / 1e6 - resolutionMs, 0);
    this.#delay.reset();
  }

  report(): NodeReport['process'] {
    const cpu = this.#cpu.perSec;
    return {
      cpuPercent: cpu === null ? null : Math.round(cpu * 100),
      rssBytes: process.memoryUsage.rss(),
      loopP99Ms: this.#loopP99Ms,
      upMs: process.uptime() * 1000,
    };
  }

  close(): void {
    clearInterval(this.#timer);
    this.#delay.disable();
  }
}
