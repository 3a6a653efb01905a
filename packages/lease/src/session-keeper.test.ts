import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { compileLeaseOptions, LeaseOptionsError } from './options.ts';
import { SessionClock } from './session-clock.ts';
import { SessionKeeper } from './session-keeper.ts';

const options = compileLeaseOptions();

describe('a session keeper', () => {
  it('renews every 3 s, stops 9 s after the sending of the last good renewal, and may come back', () => {
    const keeper = new SessionKeeper(options);
    assert.deepEqual([keeper.state(0), keeper.nextDeadlineMs(0)], ['none', Number.POSITIVE_INFINITY]);
    keeper.opened(7 as never, 1000);
    assert.equal(keeper.shouldRenew(3999, true), false);
    assert.equal(keeper.shouldRenew(4000, true), true);
    assert.equal(keeper.shouldRenew(4000, false), false);
    keeper.sent(4000);
    assert.equal(keeper.shouldRenew(4001, true), false);
    keeper.renewed(4000);
    assert.equal(keeper.mayHold(12_999), true);
    assert.equal(keeper.state(13_000), 'stopped');
    keeper.sent(13_000);
    keeper.failed(13_100);
    assert.equal(keeper.nextDeadlineMs(13_100), 13_600);
    keeper.renewed(13_000);
    assert.equal(keeper.mayHold(13_700), true);
    keeper.ended();
    assert.deepEqual([keeper.state(13_800), keeper.shouldRenew(99_999, true)], ['over', false]);
  });

  it('has stopped before the leader gives up, whatever is lost or late, with clocks that run up to 5 % apart', () => {
    const step = fc.record({
      lossy: fc.boolean(),
      requestMs: fc.nat(2000),
      answerMs: fc.nat(4000),
      waitMs: fc.nat(3000),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), fc.constantFrom(0.95, 1, 1.05), (steps, speed) => {
        const keeper = new SessionKeeper(options);
        const clock = new SessionClock(options, 0);
        const session = 1 as never;
        keeper.opened(session, 0);
        const answers: { at: number; sent: number }[] = [];
        let now = 0;
        for (const { lossy, requestMs, answerMs, waitMs } of steps) {
          now += waitMs;
          for (const answer of answers) if (answer.at <= now) keeper.renewed(answer.sent);
          if (keeper.shouldRenew(now, true)) {
            keeper.sent(now);
            if (!lossy) {
              clock.renewed(session, (now + requestMs) * speed);
              answers.push({ at: now + requestMs + answerMs, sent: now });
            }
          }
          const expires = clock.overdue([session], now * speed, { tickLateMs: 0, quorumConfirmedAtMs: now * speed });
          if (expires.length > 0) assert.equal(keeper.mayHold(now), false);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('options', () => {
  it('report all problems at once', () => {
    assert.throws(
      () => compileLeaseOptions({ renewEveryMs: 5000, holderStopMs: 20_000, tickMs: 0, nonsense: 1 } as never),
      (error: LeaseOptionsError) => error instanceof LeaseOptionsError && error.problems.length === 4,
    );
  });

  it('scale down for tests', () => {
    assert.equal(
      compileLeaseOptions({ sessionTtlMs: 300, renewEveryMs: 75, holderStopMs: 200, renewRetryMs: 20 }).tickMs,
      100,
    );
  });
});
