import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { LeaseCoordinator } from './coordinator.ts';
import { LeaseTable } from './lease-table.ts';
import { compileLeaseOptions } from './options.ts';
import { TableFloor } from './table-floor.ts';

describe('the floor of a table', () => {
  it('is what was committed a while ago, and nothing before', () => {
    const floor = new TableFloor(12_000);
    assert.equal(floor.at(0), 0);
    floor.note(0, 5);
    floor.note(2_000, 9);
    assert.equal(floor.at(11_999), 0);
    assert.equal(floor.at(12_000), 5);
    assert.equal(floor.at(13_999), 5);
    assert.equal(floor.at(14_000), 9);
    assert.equal(floor.at(1_000_000), 9);
  });

  it('of any history: never above what was known a lag ago, nor below what was known a second before that', () => {
    const step = fc.record({ waitMs: fc.nat(4_000), entries: fc.nat(3) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const floor = new TableFloor(12_000);
        const notes: { atMs: number; index: number }[] = [];
        const knownAt = (ms: number): number => notes.findLast(({ atMs }) => atMs <= ms)?.index ?? 0;
        let nowMs = 0;
        let index = 0;
        for (const { waitMs, entries } of steps) {
          nowMs += waitMs;
          index += entries;
          floor.note(nowMs, index);
          notes.push({ atMs: nowMs, index });
          assert.ok(floor.at(nowMs) <= knownAt(nowMs - 12_000));
          // What is noted within a second of another is kept with the next one, which may come late.
          const kept = notes.findLast(({ atMs }) => atMs <= nowMs - 12_000);
          if (kept !== undefined) assert.ok(floor.at(nowMs) >= knownAt(kept.atMs - 1_000));
        }
      }),
    );
  });
});

describe('a leader', () => {
  const options = compileLeaseOptions();
  const session = 2 as never;
  const calm = { tickLateMs: 0, quorumConfirmedAtMs: Number.POSITIVE_INFINITY, balancingPaused: false };

  /** One session; an entry every 100 ms from the leader's begin on. */
  function busy(forMs: number, renewedUntilMs = forMs) {
    const table = new LeaseTable();
    table.replay({ kind: 'epochBase', base: 0 }, 1);
    const opened = { nodeId: 'a' as never, uuid: 'a', counter: 1, shards: 1, addresses: [], version: '1' };
    table.replay({ kind: 'sessionOpened', ...opened }, session);
    table.publishIndex(2);
    const coordinator = new LeaseCoordinator(table, options, 0);
    for (let nowMs = 0; nowMs <= forMs; nowMs += options.tickMs) {
      coordinator.tick(nowMs, calm);
      if (nowMs <= renewedUntilMs) assert.equal(coordinator.renewed(session, nowMs), null);
      table.publishIndex(table.tableIndex + 1);
    }
    return { coordinator, table };
  }

  it('counts no renewal of a node whose table lacks what was committed a time to live ago', () => {
    const { coordinator } = busy(13_000, 4_000);
    assert.deepEqual(coordinator.renewed(session, 13_000, { tableIndex: 11 }), {
      code: 'TABLE_BEHIND',
      tableIndex: 11,
      floor: 12,
    });
    assert.equal(coordinator.silentForMs(session, 13_000), 9_000);
    assert.equal(coordinator.renewed(session, 13_000, { tableIndex: 12 }), null);
    assert.equal(coordinator.silentForMs(session, 13_000), 0);
  });

  it('counts one of a node that was away for less than it may be, of one that does not say, and while it knows no better', () => {
    const { coordinator, table } = busy(30_000);
    const entriesMissed = options.holderStopMs / options.tickMs;
    assert.equal(coordinator.renewed(session, 30_000, { tableIndex: table.tableIndex - entriesMissed }), null);
    assert.equal(coordinator.renewed(session, 30_000, {}), null);
    const next = new LeaseCoordinator(table, options, 30_000);
    assert.equal(next.renewed(session, 30_000 + options.sessionTtlMs - 1, { tableIndex: 2 }), null);
    assert.equal(next.renewed(session, 30_000 + options.sessionTtlMs, { tableIndex: 2 })?.code, 'TABLE_BEHIND');
  });

  it('says of a session that is over that it is, however far behind its node', () => {
    const { coordinator, table } = busy(13_000);
    table.replay({ kind: 'sessionEnded', session, reason: 'expired' }, table.tableIndex + 1);
    assert.equal(coordinator.renewed(session, 13_000, { tableIndex: 2 })?.code, 'SESSION_OVER');
  });
});
