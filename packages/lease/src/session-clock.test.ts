import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { compileLeaseOptions } from './options.ts';
import { SessionClock } from './session-clock.ts';

const options = compileLeaseOptions();
const s1 = 1 as never;
const s2 = 2 as never;
const fine = { tickLateMs: 0, quorumConfirmedAtMs: 0 };

describe('the leader expires', () => {
  it('after 1.1 times the TTL since the last renewal received, not before', () => {
    const clock = new SessionClock(options, 0);
    clock.renewed(s1, 1000);
    assert.deepEqual(clock.overdue([s1], 1000 + 13_199, fine), []);
    assert.deepEqual(clock.overdue([s1], 1000 + 13_200, fine), [s1]);
  });

  it('nothing that a new leader has not waited a full term for', () => {
    const clock = new SessionClock(options, 50_000);
    assert.deepEqual(clock.overdue([s1], 63_199, fine), []);
    assert.deepEqual(clock.overdue([s1], 63_200, { ...fine, quorumConfirmedAtMs: 63_200 }), [s1]);
  });

  it('one at a time, the longest silent first', () => {
    const clock = new SessionClock(options, 0);
    clock.renewed(s1, 500);
    assert.deepEqual(clock.overdue([s1, s2], 90_000, fine), [s2]);
  });

  it('nothing after its own absence until a quorum round begun since is confirmed, and its absence does not count', () => {
    const clock = new SessionClock(options, 0);
    clock.renewed(s1, 10_000);
    const back = { tickLateMs: 30_000, quorumConfirmedAtMs: 9_000 };
    assert.deepEqual(clock.overdue([s1, s2], 40_100, back), []);
    assert.deepEqual(clock.overdue([s1, s2], 44_000, { tickLateMs: 0, quorumConfirmedAtMs: 9_000 }), []);
    assert.deepEqual(clock.overdue([s1, s2], 44_000, { tickLateMs: 0, quorumConfirmedAtMs: 40_200 }), [s2]);
    assert.deepEqual(clock.overdue([s1], 53_199, { tickLateMs: 0, quorumConfirmedAtMs: 53_000 }), []);
    assert.deepEqual(clock.overdue([s1], 53_200, { tickLateMs: 0, quorumConfirmedAtMs: 53_000 }), [s1]);
  });
});
