import { setTimeout as sleep } from 'node:timers/promises';
import type { Member, MemberChange, NodeMeta } from '@holdfast/membership';
import { type Clock, nodeId, SeededRng, silentLogger } from '@holdfast/model';
import type { SwimGossipOptions } from './options.ts';
import { SwimGossip } from './swim-gossip.ts';

export const clock: Clock = { monotonicMs: () => performance.now(), wallUnixMs: () => Date.now() };

/** A tenth of the defaults where the rules allow it: real sockets, short tests. */
export const fastTimings = {
  intervalMs: 60,
  pingTimeoutMs: 60,
  pingReqTimeoutMs: 140,
  suspectTimeoutMs: 600,
  rejoinIntervalMs: 200,
  beatMs: 20,
  lateMaxMs: 60,
  leaveRepeatMs: 10,
} as const;

export function metaOf(name: string, startCounter = 1, more: Partial<NodeMeta> = {}): NodeMeta {
  return {
    uuid: `${name.charCodeAt(0).toString(16).padStart(8, '0')}-0000-4000-8000-000000000000`,
    startCounter,
    version: '0.1.0',
    peerAddress: '127.0.0.1:7400',
    shardAddresses: ['127.0.0.1:7410', '127.0.0.1:7411'],
    httpAddress: null,
    zone: null,
    ...more,
  };
}

export function gossipOf(name: string, more: Partial<SwimGossipOptions> = {}): SwimGossip {
  const options = { id: nodeId(name), meta: metaOf(name), clusterName: 'test', port: 0, ...fastTimings, ...more };
  return new SwimGossip(options, { clock, rng: new SeededRng(name.charCodeAt(0)), logger: silentLogger });
}

/** Waits for a condition; fails with what it saw last when it isn't met in time. */
export async function until(condition: () => boolean, deadlineMs: number, describe: () => unknown): Promise<void> {
  const endMs = performance.now() + deadlineMs;
  while (!condition()) {
    if (performance.now() > endMs) throw new Error(`not within ${deadlineMs} ms: ${JSON.stringify(describe())}`);
    await sleep(5);
  }
}

/** Several nodes in this process, stopped together. */
export class TestCluster {
  readonly #all: SwimGossip[] = [];
  readonly changes = new Map<SwimGossip, MemberChange[]>();

  async start(name: string, more: Partial<SwimGossipOptions> = {}): Promise<SwimGossip> {
    const gossip = gossipOf(name, more);
    this.#all.push(gossip);
    const seen: MemberChange[] = [];
    this.changes.set(gossip, seen);
    gossip.onChange((changes) => seen.push(...changes));
    await gossip.start();
    return gossip;
  }

  /** Three nodes that know of the first. */
  async startThree(more: (name: string) => Partial<SwimGossipOptions> = () => ({})): Promise<SwimGossip[]> {
    const a = await this.start('a', more('a'));
    const seeds = [a.address!];
    const nodes = [a, await this.start('b', { seeds, ...more('b') }), await this.start('c', { seeds, ...more('c') })];
    await sees(nodes, { a: 'alive', b: 'alive', c: 'alive' });
    return nodes;
  }

  kinds(gossip: SwimGossip, id: string): string[] {
    return this.changes
      .get(gossip)!
      .flatMap((change) => ('member' in change && change.member.id === id ? [change.kind] : []));
  }

  async stop(): Promise<void> {
    await Promise.all(this.#all.map((gossip) => gossip.stop()));
  }
}

export function member(gossip: SwimGossip, id: string): Member | undefined {
  return gossip.members().find((one) => one.id === id);
}

/** Waits until all of them show exactly these members in these states. */
export async function sees(
  nodes: readonly SwimGossip[],
  expected: Record<string, string>,
  deadlineMs = 8000,
): Promise<void> {
  const shown = (gossip: SwimGossip) => Object.fromEntries(gossip.members().map((one) => [one.id, one.state]));
  const wanted = JSON.stringify(expected);
  await until(
    () => nodes.every((gossip) => JSON.stringify(shown(gossip)) === wanted),
    deadlineMs,
    () => nodes.map(shown),
  );
}
