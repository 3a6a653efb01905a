import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { entry, Network, newNode, ofType, settle } from '../test/network.ts';
import { confAfterJoint, nextConf, removedMax, targetProblem } from './conf.ts';
import { type ConfState, encodeConfEntry, promotable, type RaftEntry, type Restored, simpleConf } from './index.ts';

const confEntry = (term: number, index: number, conf: ConfState): RaftEntry => {
  return { term, index, kind: 'conf', data: encodeConfEntry(conf) };
};

/** Voters `a b c` under leader `a`, and `d` as a learner that has all of the log. */
function withLearner(): Network {
  const net = new Network(['a', 'b', 'c']);
  net.join('d');
  net.elect('a');
  assert.equal(net.node('a').proposeConfChange({ voters: ['a', 'b', 'c'], learners: ['d'] }).ok, true);
  net.run();
  return net;
}

test('6: a configuration holds from when it is applied, at each node for itself', () => {
  const net = new Network(['a', 'b', 'c']);
  net.elect('a');
  const a = net.node('a');
  a.proposeConfChange({ voters: ['a', 'b'], learners: [] });
  const ready = a.ready();
  assert.equal(ready.entries[0]!.kind, 'conf');
  a.advance(ready);
  assert.deepEqual(a.conf, simpleConf(['a', 'b', 'c']));
  // Those messages were lost: the next heartbeat finds out.
  net.tick(2);
  assert.deepEqual(a.conf, simpleConf(['a', 'b'], [], ['c']));
  assert.deepEqual(net.node('b').conf, simpleConf(['a', 'b'], [], ['c']));
});

test('6: more than one voter at a time changes through a joint configuration, where both groups decide', () => {
  const net = withLearner();
  const a = net.node('a');
  net.cut.add('b').add('c');
  a.proposeConfChange({ voters: ['a', 'd'], learners: [] });
  net.run();
  assert.deepEqual(a.conf, { ...simpleConf(['a', 'b', 'c'], ['d']) }, 'the old voters have not said anything');
  net.cut.clear();
  net.tick(1);
  assert.deepEqual(a.conf, simpleConf(['a', 'd'], [], ['b', 'c']));
  const joint = net.applied.get('a')!.filter(({ kind }) => kind === 'conf');
  assert.equal(joint.length, 3, 'learner, joint, left by itself');
});

test('6: a new leader ends a joint configuration', () => {
  const net = withLearner();
  const a = net.node('a');
  a.proposeConfChange({ voters: ['a', 'b', 'd'], learners: [] });
  // The end of the joint configuration reaches nobody: its proposer is gone.
  net.isLost = (m) => m.type === 'append' && m.entries.some(({ index }) => index === 4);
  net.run();
  net.isLost = () => false;
  net.cut.add('a');
  net.tick(60, ['b', 'c', 'd']);
  const [leader] = net.leaders().filter((id) => id !== 'a');
  assert.ok(leader !== undefined);
  assert.deepEqual(net.node(leader).conf, simpleConf(['a', 'b', 'd'], [], ['c']));
});

test('6: only one change at a time, and none before a new leader has applied its no-op', () => {
  const net = new Network(['a', 'b', 'c']);
  net.isLost = (m) => m.type === 'append';
  net.elect('a');
  const a = net.node('a');
  const target = { voters: ['a', 'b'], learners: ['c'] };
  assert.deepEqual(a.proposeConfChange(target), { ok: false, code: 'CHANGE_PENDING' });
  net.isLost = () => false;
  net.tick(1);
  assert.equal(a.status().canChangeConf, true);
  assert.equal(a.proposeConfChange(target).ok, true);
  assert.equal(a.status().canChangeConf, false);
  assert.deepEqual(a.proposeConfChange({ voters: ['a'], learners: [] }), { ok: false, code: 'CHANGE_PENDING' });
});

test('6: who knows a configuration as committed, but has not applied it, does not stand for election', () => {
  const c = newNode({ id: 'c', voters: ['a', 'b', 'c'] });
  const left = confEntry(1, 2, simpleConf(['a', 'b']));
  const entries = [entry(1, 1, true), left];
  c.step({ type: 'append', from: 'a', to: 'c', term: 1, prevIndex: 0, prevTerm: 0, entries, commit: 2 });
  const ready = c.ready();
  c.advance(ready);
  c.campaign();
  assert.equal(c.status().role, 'follower', 'committed, to be applied');
  settle(c);
  c.campaign();
  assert.equal(c.status().role, 'follower', 'no vote any more');
});

test('6: a leader that is to go hands over, and leaves without a vote', () => {
  const net = new Network(['a', 'b', 'c']);
  net.elect('a');
  net.node('a').proposeConfChange({ voters: ['b', 'c'], learners: ['a'] });
  net.tick(3);
  assert.equal(net.leaders().length, 1);
  assert.notEqual(net.leaders()[0], 'a');
  for (const node of net.nodes.values()) assert.deepEqual(node.conf, simpleConf(['b', 'c'], ['a']));
  net.node('a').campaign();
  assert.equal(net.node('a').status().role, 'follower');
});

test('6: nodes that were removed do not disturb the others', () => {
  const net = new Network(['a', 'b', 'c']);
  net.elect('a');
  net.cut.add('c');
  net.node('a').proposeConfChange({ voters: ['a', 'b'], learners: [] });
  net.run();
  net.cut.clear();
  net.tick(100);
  assert.deepEqual([net.leaders(), net.node('a').status().term], [['a'], 1]);
});

test('6: a candidate learns from refusals that its configuration has ended', () => {
  // n was made a learner and knows it; m has it in its log, but doesn't know it to be committed, and has the shorter log.
  const entries = [entry(1, 1), confEntry(1, 2, simpleConf(['a'], ['b']))];
  const hardState = { term: 1, vote: null, commit: 1 };
  const disks: Record<string, Restored> = {
    a: { hardState, snapshot: null, entries },
    b: { hardState: { ...hardState, commit: 2 }, snapshot: null, entries: [...entries, entry(1, 3)] },
  };
  const net = new Network(['a', 'b'], {}, disks);
  net.run();
  assert.deepEqual(net.node('b').conf, simpleConf(['a'], ['b']));
  net.tick(60);
  assert.deepEqual(net.leaders(), ['a']);
});

test('6: with a configuration its commit is written and synced', () => {
  const net = new Network(['a', 'b', 'c']);
  net.elect('a');
  const a = net.node('a');
  a.proposeConfChange({ voters: ['a', 'b'], learners: [] });
  settle(a);
  a.step({ type: 'appendReply', from: 'b', to: 'a', term: 1, reject: false, index: 2, hintIndex: 0, hintTerm: 0 });
  const ready = a.ready();
  assert.deepEqual([ready.committedEntries.length, ready.mustSync, ready.hardState?.commit], [1, true, 2]);
});

test('6: the configuration is found again at a restart, from the snapshot and the log', () => {
  const conf = simpleConf(['a', 'b', 'd']);
  const disk: Restored = {
    hardState: { term: 2, vote: null, commit: 6 },
    snapshot: { index: 4, term: 1, conf, data: new Uint8Array(0) },
    entries: [entry(2, 5), confEntry(2, 6, simpleConf(['a', 'd'], ['b'])), confEntry(2, 7, simpleConf(['a']))],
  };
  const a = newNode({ restored: disk, voters: ['not', 'these'] });
  assert.deepEqual(a.conf, conf);
  settle(a);
  assert.deepEqual(a.conf, simpleConf(['a', 'd'], ['b']), 'as far as it is committed');
});

test('6: a snapshot has the configuration of its index', () => {
  const net = withLearner();
  const a = net.node('a');
  a.propose(Uint8Array.of(1));
  a.proposeConfChange({ voters: ['a', 'b', 'c', 'd'], learners: [] });
  net.run();
  assert.deepEqual(a.conf, simpleConf(['a', 'b', 'c', 'd']));
  assert.deepEqual(a.compact(3, Uint8Array.of(0))!.conf, simpleConf(['a', 'b', 'c'], ['d']));
  assert.deepEqual(a.compact(4, Uint8Array.of(0))!.conf, simpleConf(['a', 'b', 'c', 'd']));
});

test('thesis 4.2.1: a learner gets the log, but has no vote and does not count', () => {
  const net = withLearner();
  const [a, d] = [net.node('a'), net.node('d')];
  assert.equal(d.status().commit, 2);
  net.cut.add('b').add('c');
  a.propose(Uint8Array.of(1));
  net.run();
  assert.equal(a.status().commit, 2, 'two of four hold it, but one voter of three');
  d.campaign();
  assert.equal(d.status().role, 'follower');
  assert.deepEqual(a.transferLeadership('d'), { ok: false, code: 'NOT_A_VOTER' });
  net.tick(20, ['a', 'd']);
  assert.notEqual(a.status().role, 'leader', 'its being heard from is no quorum');
});

test('thesis 4.2.1: a node that never was a learner, or is far behind, does not become a voter', () => {
  const net = new Network(['a', 'b', 'c'], { promotionLagEntriesMax: 2 });
  net.join('d');
  net.elect('a');
  const a = net.node('a');
  const wish = { voters: ['a', 'b', 'c', 'd'], learners: [] };
  assert.deepEqual(a.proposeConfChange(wish), { ok: false, code: 'NOT_CAUGHT_UP', id: 'd' });
  a.proposeConfChange({ voters: ['a', 'b', 'c'], learners: ['d'] });
  net.run();
  net.cut.add('d');
  for (let i = 0; i < 3; i++) a.propose(Uint8Array.of(i));
  net.run();
  assert.deepEqual(a.proposeConfChange(wish), { ok: false, code: 'NOT_CAUGHT_UP', id: 'd' });
  net.cut.clear();
  net.tick(2);
  assert.equal(a.proposeConfChange(wish).ok, true);
});

test('promotable: heard from, in flow, and nearly there', () => {
  const peer = { match: 90, state: 'replicate', recentActive: true } as const;
  assert.equal(promotable(peer, 100, 10), true);
  assert.equal(promotable(peer, 101, 10), false);
  assert.equal(promotable({ ...peer, recentActive: false }, 90, 10), false);
  assert.equal(promotable({ ...peer, state: 'probe' }, 90, 10), false);
  assert.equal(promotable({ ...peer, state: 'snapshot' }, 90, 10), false);
  assert.equal(promotable(undefined, 0, 10), false);
});

test('changes: wishes that contradict themselves are named as such', () => {
  assert.equal(targetProblem({ voters: ['a', 'b'], learners: ['c'] }), null);
  for (const [voters, learners] of [
    [[], ['a']],
    [['a', 'a'], []],
    [['a'], ['a']],
    [['a', ''], []],
  ] as const) {
    assert.notEqual(targetProblem({ voters, learners }), null);
  }
});

test('changes: steps lead to the target, by neighbours that share a voter in all majorities', () => {
  const ids = ['a', 'b', 'c', 'd', 'e', 'f'];
  const group = fc.subarray(ids, { minLength: 1 });
  fc.assert(
    fc.property(
      group,
      group,
      fc.subarray(ids),
      fc.subarray(ids),
      fc.constantFrom(...ids),
      (from, to, l1, l2, leader) => {
        const conf = simpleConf(
          from,
          l1.filter((id) => !from.includes(id)),
        );
        const target = { voters: to, learners: l2.filter((id) => !to.includes(id)) };
        const next = nextConf(conf, target, leader);
        const end = next.votersOutgoing.length === 0 ? next : confAfterJoint(next);
        const stays = [...to, ...target.learners];
        const gone = [...from, ...conf.learners].filter((id) => !stays.includes(id));
        assert.deepEqual({ ...end, removed: [...end.removed].sort() }, simpleConf(to, target.learners, gone.sort()));
        assert.ok(!next.removed.some((id) => next.votersOutgoing.includes(id)), 'an outgoing voter is a member still');
        const overlap = [...next.voters, ...next.votersOutgoing].filter((id) => next.learners.includes(id));
        assert.deepEqual(overlap, [], 'voter and learner at once');
        for (const [one, other] of [
          [conf, next],
          [next, end],
        ] as const) {
          for (let bits = 0; bits < 64; bits++) {
            const side = (c: ConfState, inside: boolean) =>
              [c.voters, c.votersOutgoing]
                .filter((voters) => voters.length > 0)
                .every(
                  (voters) =>
                    voters.filter((id) => (bits >> ids.indexOf(id)) % 2 === Number(inside)).length * 2 > voters.length,
                );
            assert.ok(!(side(one, true) && side(other, false)), 'two groups without a common voter decide');
          }
        }
      },
    ),
    { numRuns: 2000 },
  );
});

test('who left is remembered, the latest so many; who is taken in again has not left', () => {
  let conf = simpleConf(['a']);
  const toLearners = (learners: readonly string[]): void => {
    conf = nextConf(conf, { voters: ['a'], learners }, 'a');
  };
  toLearners(['b', 'c']);
  toLearners(['c']);
  toLearners([]);
  assert.deepEqual(conf.removed, ['b', 'c']);
  toLearners(['b']);
  assert.deepEqual(conf.removed, ['c']);
  for (let i = 0; i < removedMax; i++) toLearners([`l${i}`]);
  assert.equal(conf.removed.length, removedMax);
  assert.deepEqual([conf.removed[0], conf.removed.at(-1)], ['b', `l${removedMax - 2}`]);
});

test('changes: a leader that loses its office drops what it waited for', () => {
  const net = withLearner();
  net.cut.add('a');
  net.node('a').proposeConfChange({ voters: ['a', 'b', 'c', 'd'], learners: [] });
  net.tick(60);
  net.cut.clear();
  net.tick(5);
  const [leader] = net.leaders();
  assert.deepEqual(net.node(leader!).conf, simpleConf(['a', 'b', 'c'], ['d']));
  assert.deepEqual(net.node('a').conf, simpleConf(['a', 'b', 'c'], ['d']));
});

test('transfer: given up when the one it goes to loses its vote', () => {
  const net = new Network(['a', 'b', 'c']);
  net.elect('a');
  const a = net.node('a');
  a.proposeConfChange({ voters: ['a', 'b'], learners: [] });
  settle(a);
  net.cut.add('c');
  a.transferLeadership('c');
  a.step({ type: 'appendReply', from: 'b', to: 'a', term: 1, reject: false, index: 2, hintIndex: 0, hintTerm: 0 });
  settle(a);
  assert.equal(a.status().transferee, null);
  assert.equal(ofType(settle(a), 'timeoutNow').length, 0);
});
