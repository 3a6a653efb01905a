import type { Command } from 'commander';
import type { Io } from './io.ts';

/** What a command is made with; `finish` sets the exit code (0 without it). */
export interface CommandContext {
  readonly io: Io;
  finish(exit: number): void;
}

export interface CommandEntry {
  readonly summary: string;
  /** Loads the command's code: `--help` must not wait for databases and sockets that it doesn't use. */
  load(): Promise<{ command(context: CommandContext): Command }>;
}

export const commandTable: Readonly<Record<string, CommandEntry>> = {
  dev: {
    summary: 'run a cluster on this machine: generated or real input, live status, summary',
    load: () => import('./commands/dev.ts'),
  },
  node: { summary: 'run one node; list, drain, resume or remove nodes', load: () => import('./commands/node.ts') },
  status: { summary: 'show the cluster: health and why, leader, nodes', load: () => import('./commands/status.ts') },
  user: { summary: 'look up one user: holder, lease epoch, state; move it', load: () => import('./commands/user.ts') },
  export: { summary: 'print all users, one JSON line each', load: () => import('./commands/export.ts') },
  dlq: { summary: 'list, show and replay dead letters', load: () => import('./commands/dlq.ts') },
  topic: {
    summary: 'feed the embedded log; how far a job has committed; consent to a topic made anew',
    load: () => import('./commands/topic.ts'),
  },
  config: { summary: "check and show a node's configuration", load: () => import('./commands/config.ts') },
  schema: { summary: 'print the JSON Schema of an output', load: () => import('./commands/schema.ts') },
};
