import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { nodeId, type SessionId } from '@holdfast/model';
import { CrashEvidence } from './crash-evidence.ts';

const [leader, other, third, victim] = ['n1', 'n2', 'n3', 'n9'].map(nodeId) as [never, never, never, never];
const sessionOf = (session: number) => ({ session: session as SessionId, nodeId: victim });
const first = sessionOf(7);

/** Began at 0, with silence since; the first round is open. */
function silent() {
  const evidence = new CrashEvidence({ quietMs: 300, roundMs: 500 }, 0);
  const [round] = evidence.begin([first], 300);
  return { evidence, round: round! };
}

describe('a session whose process is gone', () => {
  it('is looked after when its node has been silent, from the beginning of the leadership on', () => {
    const evidence = new CrashEvidence({ quietMs: 300, roundMs: 500 }, 1_000);
    assert.deepEqual(evidence.begin([first], 1_299), []);
    evidence.heard(victim, 1_250);
    assert.deepEqual(evidence.begin([first], 1_549), []);
    assert.equal(evidence.begin([first], 1_550).length, 1);
    assert.deepEqual(evidence.begin([first], 2_049), [], 'one round at a time');
    assert.equal(evidence.begin([first], 2_050).length, 1);
  });

  it('is proven gone by the refusals of two nodes, and said once a round', () => {
    const { evidence, round } = silent();
    assert.equal(evidence.answered(round, leader, 'refused', 301), 'more');
    assert.equal(evidence.answered(round, other, 'refused', 305), 'proven');
    assert.equal(evidence.answered(round, third, 'refused', 306), 'nothing');
    const [again] = evidence.begin([first], 800);
    assert.equal(evidence.answered(again!, leader, 'refused', 801), 'more');
    assert.equal(evidence.answered(again!, third, 'refused', 802), 'proven');
  });
});

describe('no proof is', () => {
  it('one node, however often it is refused', () => {
    const { evidence, round } = silent();
    assert.equal(evidence.answered(round, leader, 'refused', 301), 'more');
    assert.equal(evidence.answered(round, leader, 'refused', 302), 'more');
    const [again] = evidence.begin([first], 800);
    assert.equal(evidence.answered(again!, leader, 'refused', 801), 'more');
  });

  it('the word of the node itself', () => {
    const { evidence, round } = silent();
    evidence.answered(round, leader, 'refused', 301);
    assert.equal(evidence.answered(round, victim, 'refused', 302), 'nothing');
  });

  it('silence, or no way there', () => {
    const { evidence, round } = silent();
    assert.equal(evidence.answered(round, leader, 'unknown', 301), 'nothing');
    assert.equal(evidence.answered(round, other, 'unknown', 302), 'nothing');
    assert.equal(evidence.answered(round, third, 'refused', 303), 'more');
  });

  it('a round in which anybody was let in', () => {
    const { evidence, round } = silent();
    evidence.answered(round, leader, 'refused', 301);
    assert.equal(evidence.answered(round, third, 'accepted', 302), 'nothing');
    assert.equal(evidence.answered(round, other, 'refused', 303), 'nothing');
  });

  it('a round in which the node was heard', () => {
    const { evidence, round } = silent();
    evidence.answered(round, leader, 'refused', 301);
    evidence.heard(victim, 302);
    assert.equal(evidence.answered(round, other, 'refused', 303), 'nothing');
    assert.deepEqual(evidence.begin([first], 601), []);
  });

  it('an answer after the end of its round', () => {
    const { evidence, round } = silent();
    evidence.answered(round, leader, 'refused', 301);
    assert.equal(evidence.answered(round, other, 'refused', 800), 'nothing');
    const [again] = evidence.begin([first], 801);
    assert.equal(evidence.answered(round, other, 'refused', 802), 'nothing');
    assert.equal(evidence.answered(again!, other, 'refused', 803), 'more');
  });

  it('what was seen of the session before: the node is back on the same port', () => {
    const { evidence, round } = silent();
    evidence.answered(round, leader, 'refused', 301);
    const [next] = evidence.begin([sessionOf(9)], 302);
    assert.equal(evidence.answered(round, other, 'refused', 303), 'nothing');
    assert.equal(evidence.answered(next!, other, 'refused', 304), 'more');
  });
});
