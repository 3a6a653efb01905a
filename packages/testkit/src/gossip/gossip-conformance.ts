import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import type { Gossip } from '@holdfast/engine';
import type { Member, MemberChange, NodeMeta } from '@holdfast/membership';
import { nodeId } from '@holdfast/model';

/** How the suite makes what it tests. */
export interface GossipHarness {
  /** A node's gossip; all are of one cluster. `address`: where another one that is stopped by now had listened. */
  create(options: {
    readonly name: string;
    readonly meta: NodeMeta;
    readonly seeds: readonly string[];
    readonly address?: string;
  }): Gossip;
  /** Lets time pass until it holds; throws when that takes far too long. */
  until(condition: () => boolean, describe: () => unknown): Promise<void>;
  /** The suite is over. */
  close?(): Promise<void>;
}

interface Seen {
  readonly gossip: Gossip;
  readonly changes: MemberChange[];
}

function metaOf(name: string, startCounter = 1, more: Partial<NodeMeta> = {}): NodeMeta {
  return {
    uuid: `${name.charCodeAt(0).toString(16).padStart(8, '0')}-0000-4000-8000-000000000000`,
    startCounter,
    version: '0.1.0',
    peerAddress: '127.0.0.1:7400',
    shardAddresses: ['127.0.0.1:7410'],
    httpAddress: null,
    zone: null,
    ...more,
  };
}

/** Checks that what `Gossip` promises is kept. Registers node:test tests. */
export function gossipConformance(name: string, makeHarness: () => GossipHarness): void {
  describe(`gossip: ${name}`, () => {
    const harness = makeHarness();
    const created: Gossip[] = [];
    after(async () => {
      await Promise.all(created.map((gossip) => gossip.stop()));
      await harness.close?.();
    });

    async function start(
      id: string,
      seeds: readonly Seen[] = [],
      more: { meta?: NodeMeta; address?: string } = {},
    ): Promise<Seen> {
      const gossip = harness.create({
        name: id,
        seeds: seeds.map((seed) => seed.gossip.address!),
        ...more,
        meta: more.meta ?? metaOf(id),
      });
      created.push(gossip);
      const changes: MemberChange[] = [];
      gossip.onChange((some) => changes.push(...some));
      await gossip.start();
      return { gossip, changes };
    }

    const member = ({ gossip }: Seen, id: string): Member | undefined =>
      gossip.members().find((one) => one.id === nodeId(id));
    const states = ({ gossip }: Seen) => Object.fromEntries(gossip.members().map((one) => [one.id, one.state]));
    const kinds = ({ changes }: Seen, id: string) =>
      changes.flatMap((change) => ('member' in change && change.member.id === nodeId(id) ? [change.kind] : []));
    const sees = (nodes: readonly Seen[], expected: Record<string, string>) =>
      harness.until(
        () => nodes.every((node) => JSON.stringify(states(node)) === JSON.stringify(expected)),
        () => nodes.map(states),
      );
    const stop = (...nodes: readonly Seen[]) => Promise.all(nodes.map((node) => node.gossip.stop()));

    test('the first node starts alone, and shows itself', async () => {
      const a = await start('a');
      assert.ok(a.gossip.address !== null);
      assert.deepEqual(states(a), { a: 'alive' });
      assert.deepEqual(member(a, 'a')!.meta, metaOf('a'));
      await stop(a);
    });

    test('nodes find each other through one seed, sorted by id, with their metas', async () => {
      const b = await start('b');
      const a = await start('a', [b]);
      const c = await start('c', [b]);
      await sees([a, b, c], { a: 'alive', b: 'alive', c: 'alive' });
      assert.deepEqual(member(a, 'c')!.meta, metaOf('c'));
      assert.equal(member(c, 'a')!.gossipAddress, a.gossip.address);
      for (const node of [a, b, c]) for (const id of ['a', 'b', 'c']) assert.deepEqual(kinds(node, id), ['joined']);
      const before = a.gossip.members();
      assert.equal(a.gossip.members(), before, 'a new array, and nothing changed');
      await stop(a, b, c);
    });

    test('a change is told after it is shown; listeners may call back, and be taken away', async () => {
      const a = await start('a');
      const told: string[] = [];
      const take = a.gossip.onChange((changes) => {
        for (const change of changes) {
          if (!('member' in change) || change.kind === 'pruned') continue;
          told.push(change.kind);
          assert.deepEqual(member(a, change.member.id), change.member);
        }
        if (told.length === 1) a.gossip.updateMeta(metaOf('a', 1, { zone: 'y' }));
      });
      a.gossip.updateMeta(metaOf('a', 1, { zone: 'z' }));
      assert.deepEqual(told, ['updated', 'updated']);
      take();
      a.gossip.updateMeta(metaOf('a', 1, { zone: 'x' }));
      assert.equal(told.length, 2);
      assert.throws(() => a.gossip.updateMeta(metaOf('a', 2)));
      await stop(a);
    });

    test('news of a node reaches all', async () => {
      const a = await start('a');
      const b = await start('b', [a]);
      const c = await start('c', [a]);
      await sees([a, b, c], { a: 'alive', b: 'alive', c: 'alive' });
      const meta = metaOf('b', 1, { version: '0.2.0', shardAddresses: [] });
      b.gossip.updateMeta(meta);
      await harness.until(
        () => [a, c].every((node) => member(node, 'b')!.meta.version === '0.2.0'),
        () => [a, c].map((node) => member(node, 'b')),
      );
      assert.deepEqual(member(c, 'b')!.meta, meta);
      assert.ok(kinds(a, 'b').includes('updated'));
      await stop(a, b, c);
    });

    test('goodbye is shown as left, never as dead', async () => {
      const a = await start('a');
      const b = await start('b', [a]);
      const c = await start('c', [a]);
      await sees([a, b, c], { a: 'alive', b: 'alive', c: 'alive' });
      await c.gossip.leave();
      await sees([a, b], { a: 'alive', b: 'alive', c: 'left' });
      assert.deepEqual(kinds(a, 'c'), ['joined', 'left']);
      assert.equal(member(c, 'c')!.state, 'left');
      await c.gossip.leave();
      await stop(a, b);
    });

    test('silence is suspected, then dead; a new start at the same address is known for one', async () => {
      const a = await start('a');
      const b = await start('b', [a]);
      const c = await start('c', [a]);
      await sees([a, b, c], { a: 'alive', b: 'alive', c: 'alive' });
      const before = member(a, 'c')!.incarnation;
      await c.gossip.stop();
      a.gossip.reportUnreachable(nodeId('c'));
      a.gossip.reportUnreachable(nodeId('nobody'));
      await sees([a, b], { a: 'alive', b: 'alive', c: 'dead' });
      for (const node of [a, b]) assert.deepEqual(kinds(node, 'c').slice(-2), ['suspected', 'died']);
      assert.equal(member(c, 'c')!.state, 'alive', 'a stopped node keeps its last answer');
      const again = await start('c', [a], { meta: metaOf('c', 2), address: c.gossip.address! });
      await sees([a, b, again], { a: 'alive', b: 'alive', c: 'alive' });
      for (const node of [a, b]) assert.ok(kinds(node, 'c').includes('restarted'), kinds(node, 'c').join());
      assert.ok(member(a, 'c')!.incarnation > before);
      await stop(a, b, again);
    });

    test('an address that is taken is refused, and may be had once it is free', async () => {
      const a = await start('a');
      const { address } = a.gossip;
      const options = { name: 'b', meta: metaOf('b'), seeds: [], address: address! };
      await assert.rejects(harness.create(options).start(), { code: 'GOSSIP_PORT_IN_USE', address });
      await a.gossip.stop();
      const b = await start('b', [], { address: address! });
      assert.equal(b.gossip.address, address);
      await stop(b);
    });

    test('a gossip has one life', async () => {
      const a = await start('a');
      await a.gossip.stop();
      await a.gossip.stop();
      await assert.rejects(a.gossip.start());
      assert.deepEqual(states(a), { a: 'alive' });
    });
  });
}
