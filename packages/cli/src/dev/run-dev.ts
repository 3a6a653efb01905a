import { setTimeout as delay } from 'node:timers/promises';
import { completeRuns, LmdbLog } from '@holdfast/embedded';
import type { TopicInfo } from '@holdfast/engine';
import type { Clock } from '@holdfast/model';
import type { StatusDocument } from '@holdfast/node';
import { CliError, failed } from '../cli-error.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Io } from '../io.ts';
import { DevCluster } from './dev-cluster.ts';
import { writeDevFile } from './dev-file.ts';
import { type DevFolder, openDevFolder } from './dev-folder.ts';
import type { DevPlan } from './dev-options.ts';
import { type FeedState, feed, nothingFed, onceMoreText } from './feed.ts';
import { StopSignal } from './interrupt.ts';
import { LiveView } from './live-view.ts';
import { type LogProgress, logProgress } from './log-progress.ts';
import { writeNodeFiles } from './node-files.ts';
import { summarize } from './summarize.ts';
import { isExact, renderSummary } from './summary.ts';

export const inputTopic = 'access-log';
export const jobName = 'access-anomaly';
const partitionsDefault = 4;
/** A figure of lag may be so much older than it says: it is on its way from a shard to here. */
const figureOnWayMs = 500;
const lookMs = 200;
const statusEveryMs = 500;
/** After Ctrl-C, what was fed may still be applied: usually it is there within a moment. */
const catchUpMs = 3_000;
const nodeFailed = 'NODE_FAILED';

const clock: Clock = { monotonicMs: () => performance.now(), wallUnixMs: () => Date.now() };

/** Runs a dev cluster to its end. @returns the exit code */
export async function runDev(plan: DevPlan, io: Io): Promise<number> {
  const signal = new StopSignal();
  // Before there is a folder: a process that a signal ends would leave a temporary one behind.
  signal.listen({ again: endAtOnce });
  try {
    return await runOn(await openDevFolder(plan, io.cwd), plan, signal, io);
  } finally {
    signal.close();
  }
}

async function runOn(folder: DevFolder, plan: DevPlan, signal: StopSignal, io: Io): Promise<number> {
  let keep = false;
  try {
    const log = await LmdbLog.open(folder.folder.logPath, clock);
    try {
      const run = new DevRun(plan, folder, log, await openTopic(plan, folder, log), signal, io);
      const exit = await run.run();
      keep = exit === exitCodes.failed;
      return exit;
    } catch (error) {
      // Its log says more than the error, which may only name it.
      keep = error instanceof CliError && error.code === nodeFailed;
      throw error;
    } finally {
      await log.close();
    }
  } finally {
    await folder.close(keep);
    if (keep && folder.temporary) io.note(`holdfast: the data folder is kept for a look: ${folder.folder.dir}\n`);
  }
}

/** No node runs then, and what is written is safe. */
function endAtOnce(): void {
  process.exit(exitCodes.interrupted);
}

async function openTopic(plan: DevPlan, { folder, earlier, mappingId }: DevFolder, log: LmdbLog): Promise<TopicInfo> {
  const topic = await log.createTopic(inputTopic, plan.partitions ?? partitionsDefault);
  if (plan.partitions !== null && topic.partitions !== plan.partitions) {
    const text = `topic ${inputTopic} in ${folder.dir} has ${topic.partitions} partitions; leave out --partitions ${plan.partitions}`;
    throw failed('PARTITIONS_DIFFER', text);
  }
  const fed = (await log.endOffsets(inputTopic)).some((end) => end > 0);
  if (fed && earlier !== null && earlier.mapping !== mappingId) {
    const text = `${folder.dir} holds records for mapping ${earlier.mapping}, which ${mappingId} would read wrongly; choose another folder`;
    throw failed('MAPPING_DIFFERS', text);
  }
  return topic;
}

/** One run, from the first process to the summary. */
class DevRun {
  readonly #plan: DevPlan;
  readonly #folder: DevFolder;
  readonly #log: LmdbLog;
  readonly #topic: TopicInfo;
  readonly #io: Io;
  readonly #view: LiveView;
  readonly #signal: StopSignal;
  readonly #feedEnd = new AbortController();
  #cluster: DevCluster | null = null;
  #feed: FeedState = nothingFed;
  #failure: unknown = null;

  constructor(plan: DevPlan, folder: DevFolder, log: LmdbLog, topic: TopicInfo, signal: StopSignal, io: Io) {
    this.#plan = plan;
    this.#folder = folder;
    this.#log = log;
    this.#topic = topic;
    this.#signal = signal;
    this.#io = io;
    this.#view = new LiveView(io);
  }

  async run(): Promise<number> {
    const { dir } = this.#folder.folder;
    const { shards, backupIntervalMs, once } = this.#plan;
    const settings = { nodes: this.#folder.nodes, shards, mapping: this.#folder.mapping, backupIntervalMs };
    const nodes = await writeNodeFiles(dir, settings);
    const { feed: feedPlan } = this.#plan;
    const unfinishedInput = feedPlan.kind === 'file' ? feedPlan.path : null;
    const completeBefore = await this.#completeBefore();
    if (this.#signal.raised) {
      this.#io.note('holdfast: interrupted before any node was started\n');
      return exitCodes.interrupted;
    }
    const devFile = {
      schema: 'holdfast/dev-run/v1',
      pid: process.pid,
      startedUnixMs: Date.now(),
      mapping: this.#folder.mappingId,
      nodes: nodes.map(({ id, address }) => ({ id, address })),
      unfinishedInput,
      completeBefore,
    } as const;
    writeDevFile(dir, devFile);
    const cluster = new DevCluster(nodes, this.#io.env, {
      note: (text) => this.#view.note(text),
      hopeless: (text) => this.#fail(failed(nodeFailed, text)),
      allOver: () => {
        // SIGTERM may have gone to the whole process group.
        if (!this.#signal.raised) this.#fail(failed(nodeFailed, 'no node is left: each has ended for good'));
      },
    });
    this.#cluster = cluster;
    this.#signal.listen({
      again: () => {
        this.#view.note('killing the nodes');
        cluster.kill();
      },
    });
    const before = await this.#progress();
    const startedMs = performance.now();
    let endedMs = startedMs;
    cluster.start();
    if (!once) this.#hint(dir);
    const feeding = this.#runFeed(completeBefore);
    try {
      for (let patient = false; ; patient = true) {
        await this.#watch(startedMs, before.committed, patient);
        endedMs = performance.now();
        this.#feedEnd.abort();
        await feeding;
        if (!once || this.#signal.raised || this.#failure !== null) break;
        // All nodes drain at once, and so write and commit all they hold. What slipped through is waited for.
        await cluster.stop();
        endedMs = performance.now();
        const { committed, end } = await this.#progress();
        if (committed >= end) break;
        cluster.start();
      }
    } finally {
      this.#view.end();
      await cluster.stop();
      this.#signal.listen({ again: endAtOnce });
    }
    if (this.#failure !== null) throw this.#failure;
    const { exit, finished } = await this.#finish((endedMs - startedMs) / 1000, cluster.restarts);
    // From now on the same input is another run, and counts anew.
    if (finished) writeDevFile(dir, { ...devFile, unfinishedInput: null });
    return exit;
  }

  /**
   * Until everything is safe (--once), Ctrl-C, or a failure.
   * @param patient waits until all is committed; else all applied is enough
   */
  async #watch(startedMs: number, committedBefore: number, patient: boolean): Promise<void> {
    let fedMs: number | null = null;
    let status: StatusDocument | null = null;
    let statusMs = Number.NEGATIVE_INFINITY;
    let deadlineMs = Number.POSITIVE_INFINITY;
    for (;;) {
      const nowMs = performance.now();
      if (nowMs - statusMs >= statusEveryMs) {
        statusMs = nowMs;
        status = await this.#cluster!.status();
      }
      const progress = await this.#progress();
      const { once } = this.#plan;
      this.#view.show({ elapsedMs: nowMs - startedMs, status, feed: this.#feed, progress, committedBefore, once });
      if (this.#failure !== null) return;
      const allSafe = progress.committed >= progress.end;
      if (once && this.#feed.done && allSafe) return;
      if (this.#feed.done) fedMs ??= nowMs;
      // No lag counts if all of it was measured after the last record was there.
      const { lagRecords = null, lagAgeMs = null } = status?.ingest ?? {};
      const measuredMs = lagAgeMs === null ? Number.NEGATIVE_INFINITY : statusMs - lagAgeMs - figureOnWayMs;
      const isApplied = fedMs !== null && lagRecords === '0' && measuredMs >= fedMs;
      if (once && !patient && isApplied) return;
      if (this.#signal.raised) {
        // A run with an end is cut where it is: the next one on the folder goes on from there.
        if (once || allSafe || status === null) return;
        if (deadlineMs === Number.POSITIVE_INFINITY) deadlineMs = nowMs + catchUpMs;
        if (nowMs >= deadlineMs || status.ingest.lagRecords === '0') return;
      }
      await delay(lookMs);
    }
  }

  /** Whether the run before was of the same input and did not come to its end. */
  #goesOn(): boolean {
    const { feed: plan } = this.#plan;
    const { earlier, mappingId } = this.#folder;
    return plan.kind === 'file' && earlier?.unfinishedInput === plan.path && earlier.mapping === mappingId;
  }

  /** How often the input had been fed to its end when this run began, or the one that it goes on with. */
  async #completeBefore(): Promise<number> {
    const { feed: plan } = this.#plan;
    if (plan.kind !== 'file') return 0;
    if (this.#goesOn()) return this.#folder.earlier?.completeBefore ?? 0;
    return completeRuns(this.#log, plan.path, { topic: this.#topic.topic, mapping: this.#folder.mappingId });
  }

  async #runFeed(completeBefore: number): Promise<void> {
    try {
      const { feed: plan } = this.#plan;
      const { signal } = this.#feedEnd;
      const { mappingId: mapping } = this.#folder;
      const options = { plan, mapping, goesOn: this.#goesOn(), completeBefore, stdin: this.#io.stdin, signal };
      for await (const state of feed(this.#log, this.#topic, options)) {
        this.#feed = state;
        if (state.note !== null) this.#view.note(state.note);
        if (this.#signal.raised || this.#failure !== null) return;
      }
    } catch (error) {
      if (!this.#feedEnd.signal.aborted || (error as Error).name !== 'AbortError') this.#fail(error);
    }
  }

  /** Tells what came of it. A run that says it was interrupted isn't finished, even if all it had fed is safe by then. */
  async #finish(seconds: number, restarts: number): Promise<{ readonly exit: number; readonly finished: boolean }> {
    const progress = await this.#progress();
    const complete = progress.committed >= progress.end;
    const { once, json } = this.#plan;
    if (once && this.#signal.raised) {
      const rest = progress.end - progress.committed;
      const again = this.#folder.temporary ? '' : `; ${onceMoreText(this.#plan.feed)}`;
      this.#io.note(
        `holdfast: interrupted: ${this.#feed.records} records fed, ${rest} of the log not yet safe${again}\n`,
      );
      return { exit: exitCodes.interrupted, finished: false };
    }
    const summary = await summarize({
      log: this.#log,
      topic: this.#topic,
      storePath: this.#folder.folder.storePath,
      format: this.#folder.mapping,
      feed: this.#feed,
      seconds,
      restarts,
      recordsInLog: progress.end,
      unread: complete ? 0 : progress.end - progress.committed,
    });
    await this.#io.out(json ? `${JSON.stringify(summary, null, 2)}\n` : `${renderSummary(summary).join('\n')}\n`);
    return { exit: isExact(summary) ? exitCodes.ok : exitCodes.failed, finished: this.#feed.done && complete };
  }

  #progress(): Promise<LogProgress> {
    return logProgress(this.#log, this.#topic, jobName);
  }

  #hint(dir: string): void {
    const where = this.#folder.temporary ? `${dir} (removed at the end)` : dir;
    this.#view.note(`data in ${where}; in another terminal: npx holdfast status --data ${dir}; Ctrl-C stops`);
  }

  #fail(error: CliError | unknown): void {
    this.#failure ??= error;
  }
}
