import type { SessionOpened } from '@holdfast/lease';
import type { Report } from '../../simulation/checkers/report.ts';
import type { LoggedEnds } from './logged-ends.ts';

/** Units in quarantine for which there is room. */
const unitsMax = 1_024;

/**
 * A node tells what ended its processes before it is given anything again, and the leader judges at once (PROTOCOL.md 6.3):
 * whoever is due beyond doubt by what a node has told is in quarantine before that node's next session. Beyond doubt is a
 * record that is named at ends of two nodes, where nothing else was noted; of more than eight nodes it would take more.
 */
export class PromptVerdicts {
  readonly #report: Report;
  readonly #logged: LoggedEnds;
  readonly #quarantined: ReadonlySet<string>;
  /** By node: units that were due when it had told. */
  readonly #awaited = new Map<string, Set<string>>();
  /** By node: the data folder of its last session. Another one knows nothing of what the last has told. */
  readonly #folders = new Map<string, string>();
  seen = 0;

  /** @param quarantined units that are in quarantine now */
  constructor(report: Report, logged: LoggedEnds, quarantined: ReadonlySet<string>) {
    this.#report = report;
    this.#logged = logged;
    this.#quarantined = quarantined;
  }

  /** All that the node has told in an entry is noted. */
  onTold(node: string): void {
    const due = [...this.#logged.units].filter((unit) => !this.#quarantined.has(unit) && this.#isBeyondDoubt(unit));
    this.#awaited.set(node, new Set(due));
  }

  onQuarantined(unit: string): void {
    const hadTold = [...this.#awaited.values()].filter((units) => units.delete(unit));
    if (hadTold.length > 0) this.seen++;
  }

  onOpened({ nodeId, uuid }: SessionOpened): void {
    const isSameFolder = this.#folders.get(nodeId) === uuid;
    this.#folders.set(nodeId, uuid);
    const awaited = this.#awaited.get(nodeId) ?? [];
    this.#awaited.delete(nodeId);
    if (!isSameFolder || this.#quarantined.size >= unitsMax) return;
    for (const unit of awaited) {
      if (!this.#isBeyondDoubt(unit)) continue;
      this.#report(`6.3: ${nodeId} has a session again, and unit ${unit}, whose record ended it, isn't quarantined`);
    }
  }

  #isBeyondDoubt(unit: string): boolean {
    return this.#logged.recordsOf(unit).some((position) => {
      const ends = this.#logged.namedAt(position);
      return this.#logged.nodesOf(ends).size >= 2 && ends.every((end) => this.#logged.isOnlyNote(end));
    });
  }
}
