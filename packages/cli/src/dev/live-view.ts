import type { StatusDocument } from '@holdfast/node';
import type { Io } from '../io.ts';
import { formatAge, formatCount, formatRate } from '../render/figures.ts';
import { printable } from '../render/printable.ts';
import { progressBar } from '../render/progress-bar.ts';
import { Redraw } from '../render/redraw.ts';
import { changeKey } from '../status/changes.ts';
import { renderStatus } from '../status/render-status.ts';
import type { FeedState } from './feed.ts';
import type { LogProgress } from './log-progress.ts';

/** What is known at one moment. */
export interface Moment {
  readonly elapsedMs: number;
  readonly status: StatusDocument | null;
  readonly feed: FeedState;
  readonly progress: LogProgress;
  /** Of the log, before this run. */
  readonly committedBefore: number;
  /** There is an end to show the way to. */
  readonly once: boolean;
}

const lineEveryMs = 5_000;

/** How far things are, in one line. Pure. */
export function progressLine({ elapsedMs, status, feed, progress, committedBefore, once }: Moment): string {
  const { end, committed } = progress;
  const parts = [formatAge(elapsedMs).padStart(4)];
  if (once) parts.push(progressBar(doneRatio(status, feed, end - committedBefore, committed - committedBefore)));
  parts.push(`fed ${formatCount(feed.records)}`, `safe ${formatCount(committed)} of ${formatCount(end)}`);
  if (status === null) return [...parts, 'nodes are starting'].join('  ');
  const { cluster, ingest, nodes } = status;
  const answering = nodes.filter(({ reachable }) => reachable).length;
  parts.push(`in ${formatRate(ingest.recordsPerSec)} rec/s`, `lag ${formatCount(ingest.lagRecords)}`);
  parts.push(
    `nodes ${answering}/${nodes.length}`,
    cluster.leader === null ? 'no leader' : `leader ${cluster.leader} (term ${cluster.term})`,
  );
  if (cluster.health !== 'ok') parts.push(cluster.health);
  return parts.join('  ');
}

/** What is handled counts nearly as much as what is safe: that follows with the next backup. */
function doneRatio(status: StatusDocument | null, feed: FeedState, span: number, safe: number): number {
  if (span <= 0) return feed.done ? 1 : 0;
  const { applied, skipped, dead } = status?.totals ?? { applied: 0, skipped: 0, dead: 0 };
  const handled = Math.min(span, Number(applied) + Number(skipped) + Number(dead));
  const ratio = Math.max(safe, 0.95 * handled) / span;
  return feed.done ? ratio : ratio * (feed.ratio ?? 0);
}

/** Shows the moments on stderr: redrawn on a terminal, elsewhere a line per change and every five seconds. */
export class LiveView {
  readonly #io: Io;
  readonly #screen: Redraw | null;
  #lastKey = '';
  #lastLineMs = Number.NEGATIVE_INFINITY;
  #last: readonly string[] = [];

  constructor(io: Io) {
    this.#io = io;
    this.#screen = io.stderrIsTerminal ? new Redraw((text) => io.note(text), process.stderr) : null;
  }

  show(moment: Moment): void {
    const line = printable(progressLine(moment));
    if (this.#screen !== null) {
      const { status } = moment;
      this.#last = status === null ? [line] : [...renderStatus(status, { wide: false, style: this.#io.style }), line];
      this.#screen.draw(this.#last);
      return;
    }
    const key = moment.status === null ? '' : changeKey(moment.status);
    if (key === this.#lastKey && moment.elapsedMs - this.#lastLineMs < lineEveryMs) return;
    this.#lastKey = key;
    this.#lastLineMs = moment.elapsedMs;
    this.#io.note(`${line}\n`);
  }

  /** A line that stays. */
  note(text: string): void {
    this.#screen?.clear();
    this.#io.note(`holdfast: ${printable(text)}\n`);
    this.#screen?.draw(this.#last);
  }

  /** Takes the drawing away. */
  end(): void {
    this.#screen?.clear();
    this.#last = [];
  }
}
