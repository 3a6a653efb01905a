import assert from 'node:assert/strict';
import { it } from 'node:test';
import {
  isMainThread,
  MessageChannel,
  type MessagePort,
  receiveMessageOnPort,
  Worker,
  workerData,
} from 'node:worker_threads';
import { randomBelow, SeededRng } from '@holdfast/model';
import { LeaseTable } from './lease-table.ts';
import { LeaseTableReader } from './table-reader.ts';

/*
 * A writer grants, moves, releases, ends sessions and grows the table as fast as it can, while a thread reads.
 * What a reader may see follows from the epoch alone: an entry at index i of cycle c = floor(i / cycle) grants
 * ordinary units to the session opened in cycle c or c - 1, and keepers (which are never free) to session 2.
 */
const base = 5 * 2 ** 32 - 40_000;
const cycle = 40;
const keeperSession = 2;
const keepers = 500;
/** Keepers that are moved in most entries and looked up most of the time: where a torn lease would show. */
const hot = 8;
const ordinary = 60_000;

const sessionFor = (index: number) => (Math.floor(index / cycle) - (index % 2)) * cycle + 1;
const shardFor = (index: number) => index % 4;
const unitOf = (n: number): [number, number] => [Math.imul(n, 0x9e37_79b9) >>> 0, Math.imul(n + 7, 0x85eb_ca6b) >>> 0];

interface Findings {
  lookups: number;
  hits: number;
  attached: number;
  problems: string[];
}

function read(start: SharedArrayBuffer, port: MessagePort, stop: Int32Array): Findings {
  const reader = new LeaseTableReader(start);
  const rng = new SeededRng(99);
  const findings: Findings = { lookups: 0, hits: 0, attached: 0, problems: [] };
  const lastEpoch = new Float64Array(keepers + ordinary);
  let lastIndex = 0;
  const problem = (text: string) => {
    if (findings.problems.length < 10) findings.problems.push(text);
  };
  while (Atomics.load(stop, 0) === 0) {
    if (reader.superseded) {
      for (let m = receiveMessageOnPort(port); m !== undefined; m = receiveMessageOnPort(port)) {
        reader.attach(m.message as SharedArrayBuffer);
        findings.attached++;
      }
    }
    if (findings.attached > 0 && findings.hits > 1_000) Atomics.store(stop, 1, 1);
    const index = reader.tableIndex();
    if (index < lastIndex) problem(`table index back from ${lastIndex} to ${index}`);
    lastIndex = index;
    for (let i = 0; i < 500; i++) {
      const kind = randomBelow(rng, 8);
      const n =
        randomBelow(rng, kind < 5 ? hot : keepers) + (kind === 7 ? keepers + randomBelow(rng, ordinary - keepers) : 0);
      findings.lookups++;
      if (!reader.lookup(...unitOf(n))) {
        if (n < keepers && lastIndex > 3) problem(`keeper ${n} is free at ${lastIndex}`);
        continue;
      }
      findings.hits++;
      const { session, shard, epoch } = reader;
      const granted = epoch - base;
      const expected = n < keepers ? keeperSession : sessionFor(granted);
      if (session !== expected || shard !== shardFor(granted)) problem(`unit ${n}: ${session}/${shard} at ${granted}`);
      if (epoch < lastEpoch[n]!) problem(`unit ${n}: epoch back from ${lastEpoch[n]} to ${epoch}`);
      lastEpoch[n] = epoch;
      // An end in each cycle's first entry, from the third cycle on.
      const ends = Math.max(0, Math.floor(granted / cycle) - 2);
      if (reader.uncleanCount() < ends)
        problem(`unit ${n} granted at ${granted}, but ${reader.uncleanCount()} of ${ends} ends seen`);
    }
  }
  return findings;
}

/** Until the time is up and the reader has seen enough, and been through a change of buffers, however little of the processor it gets. */
function write(table: LeaseTable, stop: Int32Array): number {
  const until = Date.now() + 1000;
  const goesOn = () => Date.now() < until || (Atomics.load(stop, 1) === 0 && Date.now() < until + 10_000);
  const rng = new SeededRng(7);
  const replay = table.replay.bind(table);
  const open = (index: number, nodeId: string) =>
    replay(
      {
        kind: 'sessionOpened',
        nodeId: nodeId as never,
        uuid: 'u',
        counter: index,
        shards: 4,
        addresses: [],
        version: '',
      },
      index,
    );
  const batch = (first: number, from: number, count: number) => {
    const units = new Uint32Array(count * 2);
    for (let i = 0; i < count; i++) units.set(unitOf(first + from + i), 2 * i);
    return units;
  };
  const held = (units: Uint32Array) => {
    const epochs = new Float64Array(units.length / 2);
    for (let i = 0; i < epochs.length; i++)
      if (table.reader.lookup(units[2 * i]!, units[2 * i + 1]!)) epochs[i] = table.reader.epoch;
    return epochs;
  };
  let index = 1;
  replay({ kind: 'epochBase', base }, index);
  table.publishIndex(index++);
  open(index, 'keeper');
  table.publishIndex(index++);
  replay({ kind: 'granted', session: 2 as never, shard: 3 as never, units: batch(0, 0, keepers) }, index);
  table.publishIndex(index++);
  for (; goesOn(); table.publishIndex(index++)) {
    const phase = index % cycle;
    const old = sessionFor(index - (index % 2)) - 2 * cycle;
    if (phase === 0 && index > 2 * cycle)
      replay({ kind: 'sessionEnded', session: old as never, reason: 'expired' }, index);
    if (phase === 1) open(index, `n${index}`);
    if (phase < 2 || index < 2 * cycle) continue;
    const session = sessionFor(index) as never;
    const shard = shardFor(index) as never;
    const dice = randomBelow(rng, 200);
    if (dice >= 10) {
      const some = batch(0, 0, hot);
      replay({ kind: 'moved', units: some, fromEpochs: held(some), toSession: 2 as never, toShard: shard }, index);
      continue;
    }
    const count = 1 + randomBelow(rng, index % 200 < 100 ? 1500 : 100);
    const units = batch(keepers, randomBelow(rng, ordinary - count), count);
    if (dice < 4) replay({ kind: 'granted', session, shard, units }, index);
    else if (dice < 6) replay({ kind: 'released', units, epochs: held(units) }, index);
    else if (dice < 8)
      replay({ kind: 'moved', units, fromEpochs: held(units), toSession: session, toShard: shard }, index);
    else {
      const some = batch(0, randomBelow(rng, keepers - 50), 50);
      replay({ kind: 'moved', units: some, fromEpochs: held(some), toSession: 2 as never, toShard: shard }, index);
    }
  }
  return index;
}

if (isMainThread) {
  it('a reader in another thread never sees a wrong holder while the table changes and grows', {
    timeout: 20_000,
  }, async () => {
    const table = new LeaseTable();
    const { port1, port2 } = new MessageChannel();
    const stop = new Int32Array(new SharedArrayBuffer(8));
    const data = { buffer: table.buffer, port: port2, stop: stop.buffer };
    const worker = new Worker(new URL(import.meta.url), { workerData: data, transferList: [port2] });
    const found = new Promise<Findings>((resolve, reject) => worker.once('message', resolve).once('error', reject));
    let buffers = 0;
    table.onBuffer((buffer) => {
      buffers++;
      port1.postMessage(buffer);
    });
    await new Promise((resolve) => worker.once('online', resolve));
    const entries = write(table, stop);
    Atomics.store(stop, 0, 1);
    const findings = await found;
    await worker.terminate();
    port1.close();
    assert.deepEqual(findings.problems, []);
    assert.ok(
      findings.hits > 1000 && entries > 100 && buffers > 3 && findings.attached > 0,
      JSON.stringify({ ...findings, entries, buffers }),
    );
  });
} else {
  const { buffer, port, stop } = workerData as {
    buffer: SharedArrayBuffer;
    port: MessagePort;
    stop: SharedArrayBuffer;
  };
  const findings = read(buffer, port, new Int32Array(stop));
  const { parentPort } = await import('node:worker_threads');
  parentPort!.postMessage(findings);
}
