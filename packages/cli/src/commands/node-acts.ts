import { setTimeout as delay } from 'node:timers/promises';
import type { StatusDocument } from '@holdfast/node';
import type { Command } from 'commander';
import { CliError, usage } from '../cli-error.ts';
import type { CommandContext } from '../command-table.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Io } from '../io.ts';
import { type ClientOptions, durationOption, withClientOptions } from '../options.ts';
import { formatCount } from '../render/figures.ts';
import { type DrainState, drainState, isDrained } from '../status/drain-progress.ts';
import { type ClusterClient, withCluster } from '../status/fetch-status.ts';

interface WaitOptions extends ClientOptions {
  readonly detach?: boolean;
  readonly wait: number;
}

const pollMs = 500;
/** The session of a node that was killed goes on for so long at most. */
const defaultWait = '5m';

/** What operators do with nodes that run elsewhere: below `holdfast node`, which runs one here. */
export function addNodeActs(node: Command, { io }: CommandContext): void {
  // There is no such act: people look for it all the same.
  node
    .command('add')
    .argument('[args...]')
    .allowUnknownOption()
    .description('how a node is added: it joins by being started')
    .action(() => {
      throw usage(
        'a node joins by being started: holdfast node --config FILE, where cluster.peers names itself and any node that is there',
      );
    });
  const drain = node
    .command('drain')
    .argument('<id>', 'the node')
    .description('hand over all that a node holds and reads; it goes on running, and gets nothing new');
  withWaitOptions(drain).action((id: string, options: WaitOptions) =>
    withCluster(options, io, async (client) => {
      await client.act({ kind: 'drainNode', node: id });
      io.note(`${id} is draining\n`);
      if (options.detach !== true) await untilDrained(client, id, options, io);
    }),
  );
  const rm = node
    .command('rm')
    .argument('<id>', 'the node')
    .description(
      'remove a node for good, also a lost one: drained, stopped, forgotten; refused where it would end the quorum',
    );
  withWait(rm).action((id: string, options: WaitOptions) =>
    withCluster(options, io, (client) => removeNode(client, id, options, io)),
  );
  const resume = node
    .command('resume')
    .argument('<id>', 'the node')
    .description('undo drain: the node may hold and read again');
  withClientOptions(resume).action((id: string, options: ClientOptions) =>
    withCluster(options, io, async (client) => {
      await client.act({ kind: 'resumeNode', node: id });
      io.note(`${id} may hold and read again\n`);
    }),
  );
}

/** Drains a node, stops its process, takes it out of the members, and frees its name. Begun again, it goes on where it was. */
async function removeNode(client: ClusterClient, id: string, options: WaitOptions, io: Io): Promise<void> {
  const hasSession = ({ nodes }: StatusDocument) => nodes.find((node) => node.id === id)?.session.id != null;
  const endMs = performance.now() + options.wait;
  if (hasSession(await client.status())) {
    await client.act({ kind: 'drainNode', node: id });
    io.note(`${id} is draining\n`);
    await untilDrained(client, id, options, io);
    await client.act({ kind: 'stopNode', node: id });
    io.note(`${id} stops\n`);
  }
  let isKnownGone = false;
  for (;;) {
    try {
      await client.act({ kind: 'removeNode', node: id });
      io.note(`${id} is removed\n`);
      return;
    } catch (error) {
      // Until its session has ended and an earlier change of members is through.
      if (!(error instanceof CliError)) throw error;
      // What was refused before its session had ended may have been refused for that.
      if (error.code === 'REFUSED' && isKnownGone) throw error;
      const status = error.code === 'REFUSED' ? await client.statusIfAnswered() : null;
      isKnownGone = status !== null && !hasSession(status);
      if (performance.now() >= endMs) {
        const text = `${id} is not removed: ${error.message}. The same command goes on`;
        throw new CliError(exitCodes.timedOut, 'TIMED_OUT', text, { cause: error });
      }
    }
    await delay(pollMs);
  }
}

function withWaitOptions(command: Command): Command {
  return withWait(command).option('--detach', 'do not wait until it is done');
}

function withWait(command: Command): Command {
  return withClientOptions(command).addOption(
    durationOption('--wait <duration>', 'how long to wait; the work goes on all the same', defaultWait),
  );
}

/** Waits until a node holds and reads nothing, and says how far it is. */
async function untilDrained(client: ClusterClient, id: string, options: WaitOptions, io: Io): Promise<void> {
  const endMs = performance.now() + options.wait;
  let before: DrainState | null = null;
  for (;;) {
    const status = await client.statusIfAnswered();
    const state = status === null ? null : drainState(status, id);
    if (state !== null && isDrained(state)) {
      io.note(`${id} holds nothing and reads nothing\n`);
      return;
    }
    if (state !== null && (state.leases !== before?.leases || state.partitions !== before.partitions)) {
      io.note(`${id} has ${formatCount(state.leases)} keys and ${state.partitions} partitions left\n`);
      before = state;
    }
    if (performance.now() >= endMs) {
      const silent =
        status === null ? 'may still drain: nobody answers' : "doesn't answer, so nobody knows what it still reads";
      const where = state === null ? silent : 'still drains';
      const text = `${id} ${where}. Watch: holdfast status -w   Undo: holdfast node resume ${id}`;
      throw new CliError(exitCodes.timedOut, 'TIMED_OUT', text);
    }
    await delay(pollMs);
  }
}
