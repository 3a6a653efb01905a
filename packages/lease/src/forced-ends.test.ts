import assert from 'node:assert/strict';
import { it } from 'node:test';
import { isMainThread, parentPort, receiveMessageOnPort, Worker, workerData } from 'node:worker_threads';
import { LeaseTable } from './lease-table.ts';
import { LeaseTableReader } from './table-reader.ts';

/*
 * A writer takes one lease after the other away, while a thread reads: entry 2n + 1 grants a unit, 2n + 2 ends it by force,
 * for the n-th time. The units are few; the table changes its memory all the same. A holder looks at its leases once when the count has changed, so what it looks at has to be there by then.
 */
const ends = 100_000;
const units = 8;

function read(buffer: SharedArrayBuffer): string[] {
  const reader = new LeaseTableReader(buffer);
  const problems: string[] = [];
  parentPort!.postMessage('reading');
  for (let seen = 0; seen < ends; ) {
    if (reader.superseded) {
      const moved = receiveMessageOnPort(parentPort!);
      if (moved !== undefined) reader.attach(moved.message as SharedArrayBuffer);
    }
    const count = reader.forcedCount();
    if (count === seen) continue;
    seen = count;
    if (reader.lookup(count % units, 1) && reader.epoch === 2 * count + 1)
      problems.push(`end ${count} is counted, and its lease is there`);
    if (reader.uncleanIndex() < 2 * count + 2) problems.push(`end ${count} is counted, and its index isn't there`);
  }
  return problems;
}

if (!isMainThread) {
  parentPort!.postMessage(read(workerData as SharedArrayBuffer));
} else {
  it('whoever sees that a lease was taken away sees it gone, and the index of its end', {
    timeout: 60_000,
  }, async () => {
    const table = new LeaseTable();
    table.replay({ kind: 'epochBase', base: 0 }, 1);
    const addresses = ['a:1', 'b:2'];
    const opened = { kind: 'sessionOpened', nodeId: 'n1' as never, uuid: 'u', counter: 1, shards: 1 } as const;
    table.replay({ ...opened, addresses, version: '' }, 2);
    table.publishIndex(2);
    const worker = new Worker(new URL(import.meta.url), { workerData: table.buffer });
    table.onBuffer((buffer) => worker.postMessage(buffer));
    const next = (): Promise<unknown> => new Promise((resolve) => worker.once('message', resolve));
    assert.equal(await next(), 'reading');
    const problems = next();
    for (let n = 1; n <= ends; n++) {
      const lease = { session: 2 as never, shard: 0 as never };
      table.replay({ kind: 'granted', ...lease, units: Uint32Array.of(n % units, 1) }, 2 * n + 1);
      table.publishIndex(2 * n + 1);
      table.replay({ kind: 'forceReleased', hi: n % units, lo: 1, epoch: (2 * n + 1) as never }, 2 * n + 2);
      table.publishIndex(2 * n + 2);
    }
    assert.deepEqual(((await problems) as string[]).slice(0, 3), []);
    assert.equal(table.forcedCount, ends);
    await worker.terminate();
  });
}
