import { appendFileSync } from 'node:fs';
import { type Launch, NodeProcess } from '../../cluster/support/node-process.ts';

type Signal = Parameters<NodeProcess['signal']>[0];

/**
 * A node process that is known to whoever cleans up, even when this process is no more. It knows which of its ends nobody
 * had asked for: a scenario that starts it again would hide them.
 */
export class ChaosNode extends NodeProcess {
  readonly #pidsPath: string;
  readonly #ownEnds: string[] = [];
  #asked: Signal | null = null;
  #isEndNoted = true;

  constructor(id: string, configPath: string, logPath: string, launch: Launch, pidsPath: string) {
    super(id, configPath, logPath, launch);
    this.#pidsPath = pidsPath;
  }

  override start(nodeArgs?: readonly string[]): void {
    this.#noteEnd();
    super.start(nodeArgs);
    this.#asked = null;
    this.#isEndNoted = false;
    appendFileSync(this.#pidsPath, `${this.pid}\n`);
  }

  override signal(name: Signal): Promise<number | null> {
    if (this.running && (name === 'SIGKILL' || name === 'SIGTERM')) this.#asked = name;
    return super.signal(name);
  }

  /** How it has ended by itself, or not as it was asked to, in all its lives until now. */
  get ownEnds(): readonly string[] {
    this.#noteEnd();
    return this.#ownEnds;
  }

  #noteEnd(): void {
    if (this.#isEndNoted || this.running) return;
    this.#isEndNoted = true;
    const { exitCode, signalCode } = this;
    if (this.#asked === 'SIGKILL' ? signalCode === 'SIGKILL' : this.#asked === 'SIGTERM' && exitCode === 0) return;
    const last = this.output.trimEnd().split('\n').at(-1)!.slice(0, 300);
    this.#ownEnds.push(
      `${this.id} ended ${this.#asked === null ? 'by itself' : `after ${this.#asked}`} with ${exitCode ?? signalCode}: ${last}`,
    );
  }
}
