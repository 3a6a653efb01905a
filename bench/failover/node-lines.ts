import { readFileSync, statSync } from 'node:fs';
import type { NodeProcess } from '../../test/cluster/support/node-process.ts';

export interface NodeLine {
  readonly node: string;
  readonly atUnixMs: number;
  readonly msg: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** The lines that nodes log from a moment on: when a leader was elected, and when a process was proven gone. */
export class NodeLines {
  readonly #nodes: readonly NodeProcess[];
  readonly #from: number[];

  constructor(nodes: readonly NodeProcess[]) {
    this.#nodes = nodes;
    this.#from = nodes.map(({ logPath }) => statSync(logPath).size);
  }

  read(): NodeLine[] {
    return this.#nodes
      .flatMap(({ id, logPath }, i) => {
        const text = readFileSync(logPath).subarray(this.#from[i]).toString();
        const lines = text.split('\n').filter((line) => line.startsWith('{') && line.endsWith('}'));
        return lines.map((line) => {
          const fields = JSON.parse(line) as Record<string, unknown>;
          return { node: id, atUnixMs: Date.parse(String(fields.time)), msg: String(fields.msg), fields };
        });
      })
      .sort((a, b) => a.atUnixMs - b.atUnixMs);
  }
}
