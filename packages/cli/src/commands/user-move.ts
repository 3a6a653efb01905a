import { setTimeout as delay } from 'node:timers/promises';
import { formatUnit, hashUnit, unitHashOut } from '@holdfast/model';
import type { ActPlace } from '@holdfast/node';
import { CliError, usage } from '../cli-error.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Io } from '../io.ts';
import type { ClientOptions } from '../options.ts';
import { printable } from '../render/printable.ts';
import { type ClusterClient, withCluster } from '../status/fetch-status.ts';

export interface MoveOptions extends ClientOptions {
  readonly to: string;
}

const pollMs = 50;

/** Hands a user to another node and waits until the lease is there. */
export async function moveUser(key: Uint8Array, options: MoveOptions, io: Io): Promise<void> {
  const target = parseTarget(options.to);
  hashUnit(key, 0, key.length);
  const unit = formatUnit(unitHashOut.hi, unitHashOut.lo);
  await withCluster(options, io, async (client) => {
    const { from, to } = await client.act({ kind: 'moveUnit', unit, ...target });
    if (from === null || to === null) throw new Error('the answer names no holder');
    await untilThere(client, key, to, options.timeout);
    const moved = from.node !== to.node || from.shard !== to.shard;
    io.note(`${printable(`${moved ? `${placeText(from)} > ` : 'already at '}${placeText(to)}`)}\n`);
  });
}

async function untilThere(client: ClusterClient, key: Uint8Array, to: ActPlace, timeoutMs: number): Promise<void> {
  const endMs = performance.now() + timeoutMs;
  for (;;) {
    const holder = await client.holderOf(key);
    if (holder?.node === to.node && holder.shard === to.shard) return;
    if (performance.now() >= endMs) {
      const seen = holder === null ? 'nobody holds it' : `it is at ${holder.node}/${holder.shard}`;
      throw new CliError(exitCodes.timedOut, 'TIMED_OUT', `not moved within ${timeoutMs / 1000}s: ${seen}`);
    }
    await delay(pollMs);
  }
}

/** NODE or NODE/SHARD. */
function parseTarget(text: string): { readonly node: string; readonly shard: number | null } {
  const match = /^([^/]+)(?:\/(\d{1,4}))?$/.exec(text);
  if (match === null) throw usage(`--to: '${text}' is no NODE or NODE/SHARD`);
  return { node: match[1]!, shard: match[2] === undefined ? null : Number(match[2]) };
}

function placeText({ node, shard }: ActPlace): string {
  return `${node}/${shard}`;
}
