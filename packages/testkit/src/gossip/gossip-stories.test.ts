import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { GossipOracle } from './oracle.ts';
import { VirtualCluster, type VirtualNode } from './virtual-cluster.ts';

function begin(
  nodes = 3,
  seedNodes = 3,
  seed = 1,
): { cluster: VirtualCluster; oracle: GossipOracle; all: readonly VirtualNode[] } {
  const cluster = new VirtualCluster({ seed, nodes, seedNodes, useCodec: true });
  const oracle = new GossipOracle(cluster);
  cluster.startAll();
  cluster.run(10_000);
  assert.equal(oracle.difference(), null);
  return { cluster, oracle, all: cluster.nodes };
}

const shown = (observer: VirtualNode, member: VirtualNode) => observer.state?.view.members.get(member.id);

function cutApart(cluster: VirtualCluster, left: readonly VirtualNode[], right: readonly VirtualNode[]): void {
  for (const a of left) {
    for (const b of right) {
      cluster.cut(a, b);
      cluster.cut(b, a);
    }
  }
}

describe('gossip stories', () => {
  it('a cut of ten minutes ends in one cluster again (I20)', () => {
    const { cluster, oracle, all } = begin(5);
    cutApart(cluster, all.slice(0, 2), all.slice(2));
    cluster.run(600_000);
    assert.equal(shown(all[0]!, all[4]!)?.state, 'dead');
    assert.equal(shown(all[4]!, all[0]!)?.state, 'dead');
    cluster.heal();
    cluster.run(15_000);
    assert.equal(oracle.difference(), null);
  });

  it('so does one with no seed left: the dead are told now and then that they are thought so', () => {
    const { cluster, oracle, all } = begin(4, 1);
    cluster.leave(all[0]!);
    cluster.run(5_000);
    cutApart(cluster, all.slice(1, 2), all.slice(2));
    cluster.run(60_000);
    assert.equal(shown(all[1]!, all[2]!)?.state, 'dead');
    cluster.heal();
    cluster.run(20_000);
    assert.equal(oracle.difference(), null);
  });

  it('so does one that outlasts the tombstones: seeds are looked for as long as they are missing', () => {
    const { cluster, oracle, all } = begin(5);
    cutApart(cluster, all.slice(0, 2), all.slice(2));
    cluster.run(3_700_000);
    assert.equal(shown(all[4]!, all[0]!), undefined);
    cluster.heal();
    cluster.run(15_000);
    assert.equal(oracle.difference(), null);
  });

  it('tombstones are forgotten by all, and none comes back from another', () => {
    const { cluster, all } = begin(4);
    cluster.crash(all[3]!);
    cluster.run(20_000);
    assert.equal(shown(all[0]!, all[3]!)?.state, 'dead');
    cluster.run(3_600_000);
    for (const node of all.slice(0, 3)) assert.equal(shown(node, all[3]!), undefined);
    cluster.run(60_000);
    for (const node of all.slice(0, 3)) assert.equal(shown(node, all[3]!), undefined);
  });

  it('nor does one of many mouths, each of which has heard it at another moment', () => {
    for (const seed of [11, 14]) {
      const cluster = new VirtualCluster({ seed, nodes: 20, useCodec: true, tune: { tombstoneKeepMs: 20_000 } });
      cluster.startAll();
      cluster.run(15_000);
      const oracle = new GossipOracle(cluster);
      cluster.crash(cluster.nodes[19]!);
      cluster.run(60_000);
      assert.deepEqual([oracle.changes.died, oracle.changes.pruned], [19, 19], `seed ${seed}`);
    }
  });

  it('a cut between two, with a third that sees both, accuses nobody (I18)', () => {
    const { cluster, oracle, all } = begin(3);
    cutApart(cluster, all.slice(0, 1), all.slice(1, 2));
    cluster.run(120_000);
    assert.equal(oracle.changes.suspected, undefined);
    cluster.heal();
  });

  it('a cut in one direction accuses nobody while another way is there (I18)', () => {
    const { cluster, oracle, all } = begin(3);
    cluster.cut(all[0]!, all[1]!);
    cluster.run(120_000);
    assert.equal(oracle.changes.died, undefined);
  });

  it('who hears nothing any more doubts itself: the others stay alive in all other views', () => {
    const { cluster, all } = begin(4);
    for (const other of all.slice(1)) cluster.cut(other, all[0]!);
    cluster.run(60_000);
    for (const observer of all.slice(1)) {
      for (const member of all.slice(1)) assert.equal(shown(observer, member)?.state, 'alive');
    }
  });

  it('a death told by another, of a member heard a moment ago, is a suspicion only (I18)', () => {
    const { cluster, oracle, all } = begin(3);
    const claim = { ...shown(all[0]!, all[2]!)!, state: 'dead' } as const;
    const packet = { from: all[1]!.id, message: { type: 'news' }, news: [{ claim, ageMs: 0, accusers: [] }] } as const;
    cluster.inject(all[0]!, packet, all[1]!.address);
    assert.equal(shown(all[0]!, all[2]!)?.state, 'suspect');
    cluster.run(2_000);
    assert.equal(oracle.difference(), null);
    assert.equal(oracle.changes.died, undefined);
  });

  it('a node that stood still for a minute accuses nobody when it goes on (I18)', () => {
    const { cluster, oracle, all } = begin(3);
    cluster.stall(all[0]!, 60_000);
    cluster.run(60_000);
    assert.equal(shown(all[1]!, all[0]!)?.state, 'dead');
    cluster.run(20_000);
    assert.equal(oracle.difference(), null);
    assert.equal(
      oracle.deathsOf((node) => node !== all[0]),
      0,
    );
  });

  it('time to refute that passed while the accuser stood still does not count (I18)', () => {
    let suspected = 0;
    for (let seed = 1; seed <= 20; seed++) {
      const { cluster, oracle, all } = begin(3, 3, seed);
      const suspect = all[2]!;
      cluster.stall(suspect, 2_500);
      while (shown(all[0]!, suspect)?.state !== 'suspect' && cluster.nowMs < suspect.stalledUntilMs) cluster.run(10);
      if (shown(all[0]!, suspect)?.state === 'suspect') suspected++;
      // Its refutation waits in the socket when the accuser goes on, with its time long over.
      cluster.stall(all[0]!, 8_000);
      cluster.run(30_000);
      assert.equal(
        oracle.deathsOf((node) => node === suspect),
        0,
        `seed ${seed}`,
      );
    }
    assert.ok(suspected > 5, 'nobody was suspected');
  });

  it('a restart is known for one, at once, and begins above all that was said of the earlier start', () => {
    const { cluster, oracle, all } = begin(3);
    const before = shown(all[1]!, all[0]!)!.incarnation;
    cluster.crash(all[0]!);
    cluster.start(all[0]!);
    cluster.run(2_000);
    assert.equal(oracle.difference(), null);
    assert.ok(shown(all[1]!, all[0]!)!.incarnation > before);
    assert.equal(oracle.changes.died, undefined);
  });

  it('a wiped data folder under a known id is taken in, though its counter begins anew', () => {
    const { cluster, oracle, all } = begin(3);
    cluster.crash(all[0]!);
    // As of a process that was started anew every few minutes for years.
    all[0]!.startCounter = 1_000_000;
    cluster.start(all[0]!);
    cluster.run(5_000);
    assert.equal(shown(all[1]!, all[0]!)?.meta.startCounter, 1_000_001);
    cluster.crash(all[0]!);
    all[0]!.startCounter = 0;
    all[0]!.folder++;
    cluster.start(all[0]!);
    cluster.run(15_000);
    assert.equal(oracle.difference(), null);
  });

  it('goodbye reaches all within a second, and the left are not looked for', () => {
    const { cluster, all } = begin(5);
    cluster.leave(all[4]!);
    cluster.run(1_000);
    for (const node of all.slice(0, 4)) assert.equal(shown(node, all[4]!)?.state, 'left');
  });

  it('evidence of a broken connection hurries the probe, not the time to refute', () => {
    const { cluster, all } = begin(3);
    cluster.evidence(all[1]!, all[0]!);
    cluster.run(10_000);
    assert.equal(shown(all[1]!, all[0]!)?.state, 'alive');
    const killedMs = cluster.nowMs;
    cluster.crash(all[0]!);
    for (const observer of all.slice(1)) cluster.evidence(observer, all[0]!);
    let deadMs = 0;
    cluster.onChange = (_, change) => {
      if (change.kind === 'died') deadMs = cluster.nowMs;
    };
    cluster.run(6_000);
    assert.ok(deadMs - killedMs >= 3_000 && deadMs - killedMs <= 4_500, `dead after ${deadMs - killedMs} ms`);
  });

  it('forty members find each other, and a dead one is known to all', () => {
    const { cluster, oracle, all } = begin(40);
    cluster.crash(all[20]!);
    cluster.run(30_000);
    for (const node of all) if (node.state !== null) assert.equal(shown(node, all[20]!)?.state, 'dead', node.id);
    assert.equal(oracle.falseDeaths.length, 0);
    const { nowMs, datagrams } = cluster;
    assert.ok(datagrams / all.length / (nowMs / 1000) < 40, 'datagrams per node and second');
  });
});
