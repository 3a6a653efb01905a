import assert from 'node:assert/strict';
import { test } from 'node:test';
import { simpleConf } from '@holdfast/raft';
import fc from 'fast-check';
import { type MemberFacts, planMembers, type VoterPlanInput } from './voter-planner.ts';

/** `n2/x`: member of node n2. Active and without a zone unless said otherwise. */
const facts = (member: string, more: Partial<MemberFacts> = {}): MemberFacts => ({
  member,
  node: member.split('/')[0]!,
  zone: null,
  isActive: true,
  isPromotable: false,
  isRemoved: false,
  isGone: false,
  ...more,
});

function plan(voters: string[], learners: string[], members: MemberFacts[], more: Partial<VoterPlanInput> = {}) {
  const known = new Set(members.map(({ member }) => member));
  const others = [...voters, ...learners].filter((id) => !known.has(id)).map((id) => facts(id));
  const conf = simpleConf(voters, learners);
  return planMembers({ conf, leader: voters[0]!, members: [...others, ...members], votersWanted: 3, ...more });
}

const ready = { isPromotable: true };

test('nothing to do: nothing is done', () => {
  assert.equal(plan(['a', 'b', 'c'], ['d'], [facts('d', ready)]), null);
});

test('newcomers become learners, and voters once they have the log, as an odd number', () => {
  const newcomers = [facts('b'), facts('c')];
  assert.deepEqual(plan(['a'], [], newcomers), { voters: ['a'], learners: ['b', 'c'] });
  assert.equal(plan(['a'], ['b', 'c'], [facts('b', ready), facts('c')]), null, 'two voters are no better than one');
  assert.deepEqual(plan(['a'], ['b', 'c', 'd'], [facts('b', ready), facts('d', ready)]), {
    voters: ['a', 'b', 'd'],
    learners: ['c'],
  });
  assert.deepEqual(plan(['a', 'b'], ['c'], [facts('c', ready)]), { voters: ['a', 'b', 'c'], learners: [] });
});

test('a node that comes back without its storage takes its own place, in one change', () => {
  const lost = facts('c/1', { isActive: false });
  assert.deepEqual(plan(['a/1', 'b/1', 'c/1'], [], [lost, facts('c/2')]), {
    voters: ['a/1', 'b/1', 'c/1'],
    learners: ['c/2'],
  });
  assert.equal(plan(['a/1', 'b/1', 'c/1'], ['c/2'], [lost, facts('c/2')]), null, 'it has to catch up first');
  assert.deepEqual(plan(['a/1', 'b/1', 'c/1'], ['c/2', 'd/1'], [lost, facts('c/2', ready), facts('d/1', ready)]), {
    voters: ['a/1', 'b/1', 'c/2'],
    learners: ['d/1'],
  });
});

test('a second process under the name of a living member is not taken in', () => {
  assert.equal(plan(['a/1', 'b/1', 'c/1'], [], [facts('c/2')]), null);
});

test('a voter that was removed is replaced, or goes alone', () => {
  const removed = facts('c', { isRemoved: true, isActive: false });
  assert.deepEqual(plan(['a', 'b', 'c'], ['d'], [removed, facts('d', ready)]), {
    voters: ['a', 'b', 'd'],
    learners: [],
  });
  assert.deepEqual(plan(['a', 'b', 'c'], [], [removed]), { voters: ['a', 'b'], learners: [] });
  assert.equal(plan(['c'], [], [removed]), null, 'the last one stays');
  assert.deepEqual(plan(['a'], ['c'], [removed]), { voters: ['a'], learners: [] });
});

test('a voter that is gone changes places with a learner, and stays where it is without one', () => {
  const gone = facts('b', { isActive: false, isGone: true });
  assert.deepEqual(plan(['a', 'b', 'c'], ['d'], [gone, facts('d', ready)]), {
    voters: ['a', 'c', 'd'],
    learners: ['b'],
  });
  assert.equal(plan(['a', 'b', 'c'], ['d'], [gone, facts('d')]), null);
});

test('voters are spread over zones', () => {
  const zones = (more: Record<string, string>, promotable: string[]) =>
    Object.entries(more).map(([member, zone]) => facts(member, { zone, isPromotable: promotable.includes(member) }));
  const members = zones({ a: 'x', b: 'x', c: 'y', d: 'z' }, ['d']);
  assert.deepEqual(plan(['a', 'b', 'c'], ['d'], members), { voters: ['a', 'c', 'd'], learners: ['b'] });
  const promoted = plan(['a'], ['b', 'c', 'd'], zones({ a: 'x', b: 'x', c: 'y', d: 'z' }, ['b', 'c', 'd']));
  assert.deepEqual(promoted, { voters: ['a', 'c', 'd'], learners: ['b'] });
  assert.equal(plan(['a', 'c', 'd'], ['b'], zones({ a: 'x', b: 'x', c: 'y', d: 'z' }, ['b'])), null);
});

test('whatever the facts: new voters have the log, votes are lost only to them, and planning comes to rest', () => {
  const member = fc.record({
    zone: fc.constantFrom('x', 'y', null),
    isActive: fc.boolean(),
    isPromotable: fc.boolean(),
    isRemoved: fc.constantFrom(false, false, false, true),
    isGone: fc.boolean(),
    place: fc.constantFrom('voter', 'learner', 'newcomer'),
  });
  fc.assert(
    fc.property(fc.array(member, { minLength: 1, maxLength: 8 }), fc.constantFrom(3, 5), (drawn, votersWanted) => {
      // Some nodes have two members.
      const members = drawn.map(({ place: _, isActive, isPromotable, isGone, ...more }, i) => {
        const state = { isActive, isPromotable: isPromotable && isActive, isGone: isGone && !isActive };
        return facts(`n${i >> Number(i > 5)}/${i}`, { ...state, ...more });
      });
      const idsOf = (place: string) => members.filter((_, i) => drawn[i]!.place === place).map(({ member: id }) => id);
      let conf = simpleConf(idsOf('voter'), idsOf('learner'));
      if (conf.voters.length === 0) return;
      const leader = conf.voters[0]!;
      const byId = new Map(members.map((m) => [m.member, { ...m, isActive: m.member === leader || m.isActive }]));
      const all = [...byId.values()];
      let rounds = 0;
      for (; rounds < 30; rounds++) {
        const target = planMembers({ conf, leader, members: all, votersWanted });
        if (target === null) break;
        const ids = [...target.voters, ...target.learners];
        assert.equal(new Set(ids).size, ids.length);
        const added = target.voters.filter((id) => !conf.voters.includes(id));
        const removed = conf.voters.filter((id) => !target.voters.includes(id));
        assert.ok(target.voters.length > 0 && removed.length <= 1);
        for (const id of added) assert.ok(byId.get(id)!.isPromotable && conf.learners.includes(id));
        for (const id of removed) assert.ok(added.length === 1 || byId.get(id)!.isRemoved);
        assert.ok(!removed.includes(leader) || byId.get(leader)!.isRemoved);
        // A member that has just lost its vote is in the flow of the log.
        conf = simpleConf(target.voters, target.learners);
      }
      assert.ok(rounds < 30, 'plans go round in circles');
    }),
    { numRuns: 3000 },
  );
});
