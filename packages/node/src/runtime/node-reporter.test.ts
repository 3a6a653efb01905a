import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ControlPlane, Gossip, ServiceWatch } from '@holdfast/engine';
import type { NodeConfig } from '../config/node-config.ts';
import { NodeReporter } from './node-reporter.ts';
import type { ProcessMeter } from './process-meter.ts';

/** What the report of n1 has as read by its shard 0; its former session, 5, is in the table still. */
function readBy(session: { readonly id: number; readonly state: string }): readonly string[] {
  const partition = (number: number, of: number, shard = 0, nodeId = 'n1') => {
    return { topic: 'in', partition: number, reader: { nodeId, session: of, shard } };
  };
  const row = (of: number) => ({ session: of, nodeId: 'n1', shards: [{ address: 'n1:7500', units: 9 }] });
  const table = {
    sessions: [row(5), row(8)],
    quarantined: [],
    partitions: [
      partition(0, 5),
      partition(1, 8),
      partition(2, 8, 1),
      partition(3, 6, 0, 'n2'),
      { topic: 'in', partition: 4, reader: null },
    ],
  };
  const control = {
    leadership: { leader: null },
    status: () => ({
      nodeId: 'n1',
      raft: { role: 'follower', leader: null, voters: ['n1'] },
      session: { ...session, renewedAgoMs: null },
      table,
      balancing: null,
      problems: null,
      shards: [{ shard: 0, stats: {}, hot: [], heldBack: [] }],
    }),
  };
  const reporter = new NodeReporter(
    { nodeId: 'n1', sessionStopMs: 9_000 } as unknown as NodeConfig,
    control as unknown as ControlPlane,
    { members: () => [] } as unknown as Gossip,
    { report: () => ({}) } as unknown as ProcessMeter,
    { report: () => ({}) } as unknown as ServiceWatch,
  );
  try {
    return reporter.report().shards[0]!.partitions;
  } finally {
    reporter.close();
  }
}

test('a node reads what its present session has, and nothing once that is over', () => {
  assert.deepEqual(readBy({ id: 8, state: 'holding' }), ['in/1']);
  assert.deepEqual(readBy({ id: 8, state: 'stopping' }), ['in/1']);
  assert.deepEqual(readBy({ id: 5, state: 'over' }), []);
  assert.deepEqual(readBy({ id: 0, state: 'opening' }), []);
});
