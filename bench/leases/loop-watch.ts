const everyMs = 5;

/**
 * Watches how long the event loop of this thread stands still. Beside the time on the clock it takes the processor time that
 * the thread used meanwhile: what the clock shows and that doesn't, other processes took.
 */
export class LoopWatch {
  #atMs = performance.now();
  #cpuMs = threadCpuMs();
  stopMsMax = 0;
  busyMsMax = 0;

  constructor() {
    setInterval(() => this.#look(), everyMs).unref();
  }

  reset(): void {
    this.stopMsMax = 0;
    this.busyMsMax = 0;
  }

  #look(): void {
    const [nowMs, cpuMs] = [performance.now(), threadCpuMs()];
    this.stopMsMax = Math.max(this.stopMsMax, nowMs - this.#atMs);
    this.busyMsMax = Math.max(this.busyMsMax, cpuMs - this.#cpuMs);
    this.#atMs = nowMs;
    this.#cpuMs = cpuMs;
  }
}

function threadCpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}
