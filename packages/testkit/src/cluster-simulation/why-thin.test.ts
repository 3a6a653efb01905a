import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeededRng, topicId } from '@holdfast/model';
import { Trace } from '../simulation/trace.ts';
import { VirtualTime } from '../simulation/virtual-time.ts';
import { ClusterLog } from './cluster-log.ts';
import { drawPlan } from './cluster-plan.ts';
import { type HistorySize, whyThin } from './why-thin.ts';

test('a history counts that has enough of everything', () => {
  const enough: HistorySize = {
    virtualMs: 120_000,
    virtualMsMin: 120_000,
    records: 2_000,
    partitions: 3,
    faults: 5,
    ends: 2,
    uncleanEnds: 1,
    moves: 1,
  };
  assert.equal(whyThin(enough), null);
  for (const [name, value] of Object.entries(enough)) {
    if (name === 'virtualMsMin') continue;
    assert.match(whyThin({ ...enough, [name]: value - 1 }) ?? 'counts', new RegExp(`^(${value - 1} |no )`), name);
  }
});

test('long histories are planned to last ten minutes, also when every recovery is instant', () => {
  for (let seed = 7; seed < 5_000; seed += 50) {
    const { rounds, roundMs, virtualMsMin } = drawPlan(new SeededRng(seed), seed);
    assert.equal(virtualMsMin, 600_000);
    // After each round come the last records, and in the end a calm.
    assert.ok(rounds * (roundMs + 3_000) + 12_000 >= virtualMsMin, `seed ${seed}`);
  }
});

test('offsets that nobody has committed, or that are 0, can not be set back', () => {
  const time = new VirtualTime(new SeededRng(1), new Trace(false));
  const log = new ClusterLog(time, new SeededRng(2), { onAppended() {}, onCommitted() {} }, false);
  assert.equal(log.rewind(5), null);
  const commit = { partition: { topicId: topicId('id-of-in'), partition: 0 }, generationId: 'life', fence: 1 };
  log.commit({ ...commit, offset: 0 });
  assert.equal(log.rewind(null), null);
  log.commit({ ...commit, offset: 3 });
  assert.notEqual(log.rewind(5), null);
  assert.equal(log.committed(commit.partition)?.offset, 0);
});
