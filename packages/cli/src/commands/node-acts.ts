import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from 'commander';
import { CliError } from '../cli-error.ts';
import { clientAddresses } from '../client-addresses.ts';
import type { CommandContext } from '../command-table.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Io } from '../io.ts';
import { type ClientOptions, parseDurationMs, withClientOptions } from '../options.ts';
import { formatCount } from '../render/figures.ts';
import { type DrainState, drainState, isDrained } from '../status/drain-progress.ts';
import { ClusterClient } from '../status/fetch-status.ts';

interface WaitOptions extends ClientOptions {
  readonly detach?: boolean;
  readonly wait: number;
}

const pollMs = 500;
/** The session of a node that was killed goes on for so long at most. */
const defaultWaitMs = 300_000;

/** What operators do with nodes that run elsewhere: below `holdfast node`, which runs one here. */
export function addNodeActs(node: Command, { io }: CommandContext): void {
  const drain = node
    .command('drain')
    .argument('<id>', 'the node')
    .description('hand over all that a node holds and reads; it goes on running, and gets nothing new');
  withWaitOptions(drain).action((id: string, options: WaitOptions) =>
    withClient(options, io, async (client) => {
      await client.act({ kind: 'drainNode', node: id });
      io.note(`${id} is draining\n`);
      if (options.detach !== true) await untilDrained(client, id, options, io);
    }),
  );
  const rm = node
    .command('rm')
    .argument('<id>', 'the node')
    .description('remove a node for good: drained, stopped, forgotten; refused where it would end the quorum');
  withWait(rm).action((id: string, options: WaitOptions) =>
    withClient(options, io, (client) => removeNode(client, id, options, io)),
  );
  const resume = node
    .command('resume')
    .argument('<id>', 'the node')
    .description('undo drain: the node may hold and read again');
  withClientOptions(resume).action((id: string, options: ClientOptions) =>
    withClient(options, io, async (client) => {
      await client.act({ kind: 'resumeNode', node: id });
      io.note(`${id} may hold and read again\n`);
    }),
  );
}

/** Drains a node, stops its process, takes it out of the members, and frees its name. Begun again, it goes on where it was. */
async function removeNode(client: ClusterClient, id: string, options: WaitOptions, io: Io): Promise<void> {
  const row = async () => (await client.status()).nodes.find((node) => node.id === id);
  const endMs = performance.now() + options.wait;
  if ((await row())?.session.id != null) {
    await client.act({ kind: 'drainNode', node: id });
    io.note(`${id} is draining\n`);
    await untilDrained(client, id, options, io);
    await client.act({ kind: 'stopNode', node: id });
    io.note(`${id} stops\n`);
  }
  for (;;) {
    try {
      await client.act({ kind: 'removeNode', node: id });
      io.note(`${id} is removed\n`);
      return;
    } catch (error) {
      // Until its session has ended and an earlier change of members is through.
      if (!(error instanceof CliError) || performance.now() >= endMs) throw error;
      if (error.code === 'REFUSED' && (await row())?.session.id == null) throw error;
    }
    await delay(pollMs);
  }
}

function withWaitOptions(command: Command): Command {
  return withWait(command).option('--detach', 'do not wait until it is done');
}

function withWait(command: Command): Command {
  return withClientOptions(command).option(
    '--wait <duration>',
    'how long to wait; the work goes on all the same',
    parseDurationMs,
    defaultWaitMs,
  );
}

async function withClient(
  options: ClientOptions,
  io: Io,
  work: (client: ClusterClient) => Promise<void>,
): Promise<void> {
  const client = new ClusterClient(clientAddresses(options, io), options.timeout);
  try {
    await work(client);
  } finally {
    client.close();
  }
}

/** Waits until a node holds and reads nothing, and says how far it is. */
async function untilDrained(client: ClusterClient, id: string, options: WaitOptions, io: Io): Promise<void> {
  const endMs = performance.now() + options.wait;
  let before: DrainState | null = null;
  for (;;) {
    const state = drainState(await client.status(), id);
    if (state !== null && isDrained(state)) {
      io.note(`${id} holds nothing and reads nothing\n`);
      return;
    }
    if (state !== null && (state.leases !== before?.leases || state.partitions !== before.partitions)) {
      io.note(`${id} has ${formatCount(state.leases)} keys and ${state.partitions} partitions left\n`);
      before = state;
    }
    if (performance.now() >= endMs) {
      const text = `${id} still drains. Watch: holdfast status -w   Undo: holdfast node resume ${id}`;
      throw new CliError(exitCodes.timedOut, 'TIMED_OUT', text);
    }
    await delay(pollMs);
  }
}
