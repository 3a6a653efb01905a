import type { NodeId } from '@holdfast/model';

interface Trace {
  readonly member: string;
  readonly hasLog: boolean;
}

export interface TraceAnswer {
  readonly member: string;
  readonly isBlank: boolean;
  /** There are entries; a node of before doesn't say. A vote or a term without any is a trace too. */
  readonly hasLog?: boolean;
}

/**
 * The nodes of which a founder has heard that their storage isn't blank. Neither silence clears one of that nor a blank
 * answer of the same storage, which has then forgotten what it had: only another storage, when it answers that it is blank.
 */
export class FoundingTraces {
  readonly #traces = new Map<NodeId, Trace>();

  note(node: NodeId, { member, isBlank, hasLog }: TraceAnswer): void {
    if (!isBlank) this.#traces.set(node, { member, hasLog: hasLog !== false });
    else if (this.#traces.get(node)?.member !== member) this.#traces.delete(node);
  }

  get nodes(): readonly NodeId[] {
    return [...this.#traces.keys()].sort();
  }

  /** Who has what, for an operator. */
  get text(): string {
    const of = (hasLog: boolean) => this.nodes.filter((node) => this.#traces.get(node)?.hasLog === hasLog).join(', ');
    const [logs, votes] = [of(true), of(false)];
    return [logs === '' ? '' : `a Raft log at ${logs}`, votes === '' ? '' : `a vote without a log at ${votes}`]
      .filter((part) => part !== '')
      .join(', ');
  }
}
