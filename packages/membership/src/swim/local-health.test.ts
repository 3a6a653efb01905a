import assert from 'node:assert/strict';
import { it } from 'node:test';
import { LocalHealth } from './local-health.ts';
import { RateLimit } from './rate-limit.ts';

it('believes its verdicts while it is on time', () => {
  const health = new LocalHealth(100, 50, 900, 0);
  for (let nowMs = 100; nowMs < 1000; nowMs += 140) {
    assert.ok(health.isTrusted(nowMs));
    assert.equal(health.beat(nowMs), 0);
  }
  assert.equal(health.stallCount, 0);
});

it('sets verdicts aside from the first late moment until a whole round after the stall', () => {
  const health = new LocalHealth(100, 50, 900, 0);
  assert.ok(health.isTrusted(150));
  assert.ok(!health.isTrusted(151), 'before the late beat has run');
  assert.equal(health.beat(2000), 1900);
  assert.equal(health.stallCount, 1);
  for (let nowMs = 2000; nowMs < 2900; nowMs += 100) {
    assert.ok(!health.isTrusted(nowMs));
    health.beat(nowMs);
  }
  assert.ok(health.isTrusted(2900));
  assert.equal(health.stallCount, 1);
});

it('stretches times by a score between bounds', () => {
  const health = new LocalHealth(100, 50, 900, 0);
  health.improve();
  assert.equal(health.factor, 1);
  for (let i = 0; i < 20; i++) health.worsen();
  assert.equal(health.factor, 8);
  health.improve();
  assert.equal(health.factor, 7);
});

it('limits a rate to a burst and an average', () => {
  const limit = new RateLimit(2, 10, 0);
  assert.deepEqual([limit.take(0), limit.take(0), limit.take(0)], [true, true, false]);
  assert.equal(limit.take(99), false);
  assert.equal(limit.take(200), true);
});
