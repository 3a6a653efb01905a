import type { PartitionId } from '@holdfast/model';
import type { Attempt } from './held-back.ts';
import type { PartitionLoop } from './partition-loop.ts';
import type { ShardContext } from './shard-context.ts';

/** Commits durable watermarks to the log, never above them (PROTOCOL.md 3.4). */
export class CommitLoop {
  readonly #context: ShardContext;
  readonly #attempt: Attempt;
  #lastMs = 0;
  busy = false;

  constructor(context: ShardContext) {
    this.#context = context;
    this.#attempt = context.heldBack.newAttempt();
  }

  kick(nowMs: number, loops: Iterable<PartitionLoop>): void {
    if (this.busy || nowMs - this.#lastMs < this.#context.options.settings.commitIntervalMs) return;
    this.#lastMs = nowMs;
    void this.commit(loops);
  }

  /** Nothing is tried for now: what failed before is not held back by the log. */
  pause(): void {
    this.#attempt.end();
  }

  /** Commits what has become durable since the last time, and what is to be said again. */
  async commit(loops: Iterable<PartitionLoop>): Promise<void> {
    const { options, ingest, leases, generation } = this.#context;
    const { timers } = options;
    ingest.catchUp();
    if (generation === null || generation.number !== leases.generation() || !this.#context.mayAct()) {
      return this.pause();
    }
    const due: { loop: PartitionLoop; offset: number; partition: PartitionId; fence: number }[] = [];
    for (const loop of loops) {
      const { reading } = loop;
      if (reading === null || reading.lost) continue;
      const offset = ingest.durableWatermark(reading);
      if (!loop.lastCommit.isDue(offset, generation.number, timers.monotonicMs())) continue;
      due.push({ loop, offset, partition: reading.id, fence: reading.leaseEpoch });
    }
    if (due.length === 0) return this.pause();
    this.#attempt.begin({ what: 'commits', topic: null }, timers.monotonicMs());
    const { generationId } = generation;
    this.busy = true;
    try {
      const results = await options.log.commit(
        options.job.name,
        due.map(({ offset, partition, fence }) => ({ partition, offset, generationId, fence })),
      );
      results.forEach((result, i) => {
        const { loop, offset } = due[i]!;
        if (result === 'fenced') {
          options.stats.add('commitsFenced', 1);
          options.logger.warn('a commit was fenced: the partition is read elsewhere', {
            topic: loop.lease.topic,
            partition: loop.lease.partition,
          });
          loop.end();
          return;
        }
        if (result === 'gone') {
          // Its reader says so too, again and again: the lease ends when people have decided what is lost.
          options.logger.warn('an offset can not be committed: its topic is gone, or another', {
            topic: loop.lease.topic,
            partition: loop.lease.partition,
          });
        }
        loop.lastCommit.note(offset, generation.number, timers.monotonicMs());
      });
      options.stats.add('commits', 1);
      this.#attempt.end();
    } catch (error) {
      this.#attempt.failed(error);
      options.logger.warn('offsets can not be committed', { err: error });
    } finally {
      this.busy = false;
    }
  }
}
