import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Rng, randomBelow, SeededRng } from '@holdfast/model';
import fc from 'fast-check';
import type { InstallSnapshot, Snapshot } from './index.ts';
import { emptyConf } from './index.ts';
import { SnapshotAssembly } from './snapshot-assembly.ts';
import { SnapshotPieces, SnapshotTransfer } from './snapshot-pieces.ts';

const snapshotOf = (data: Uint8Array): Snapshot => ({ index: 5, term: 2, conf: emptyConf, data });

function messageOf(snapshot: Snapshot, piece: { offset: number; data: Uint8Array; sum: number }): InstallSnapshot {
  const { index, term: snapshotTerm, conf, data } = snapshot;
  const head = { type: 'snapshot', from: 'a', to: 'b', term: 3 } as const;
  return { ...head, index, snapshotTerm, conf, bytes: data.length, ...piece };
}

/** Sends until all is there, over a wire that loses, repeats and reorders, and at first damages. Returns what arrived. */
function transmit(snapshot: Snapshot, pieceBytes: number, aheadMax: number, rng: Rng): Uint8Array {
  const transfer = new SnapshotTransfer(new SnapshotPieces(snapshot, pieceBytes), aheadMax, 8);
  let assembly: SnapshotAssembly | null = null;
  const wire: InstallSnapshot[] = [];
  for (let step = 0; step < 100_000; step++) {
    let ahead = 0;
    while (transfer.isPieceDue) {
      const message = messageOf(snapshot, transfer.takePiece());
      ahead++;
      for (let copies = randomBelow(rng, 3); copies > 0; copies--) wire.push(message);
    }
    assert.ok(ahead <= aheadMax);
    if (wire.length === 0) {
      transfer.rewind();
      continue;
    }
    let message = wire.splice(randomBelow(rng, Math.min(wire.length, 2)), 1)[0]!;
    const isCalm = step > 1_000;
    if (!isCalm && randomBelow(rng, 20) === 0 && message.data.length > 0) {
      const data = message.data.slice();
      data[randomBelow(rng, data.length)]! ^= 1;
      message = { ...message, data };
    }
    // The receiver is started anew now and then.
    if (assembly === null || (!isCalm && randomBelow(rng, 50) === 0)) assembly = new SnapshotAssembly(message);
    const result = assembly.take(message);
    if (result.isWhole) return result.snapshot.data;
    transfer.answered(result.offset);
  }
  return assert.fail('never whole');
}

test('7: what arrives in pieces is what was sent, whatever the wire does', () => {
  const sizes = fc.record({ bytes: fc.nat({ max: 200 }), piece: fc.integer({ min: 1, max: 40 }) });
  fc.assert(
    fc.property(sizes, fc.integer({ min: 1, max: 6 }), fc.nat(), ({ bytes, piece }, ahead, seed) => {
      const rng = new SeededRng(seed);
      const data = new Uint8Array(bytes).map(() => randomBelow(rng, 256));
      assert.deepEqual(transmit(snapshotOf(data), piece, ahead, rng), data);
    }),
    { numRuns: 1000 },
  );
});

test('7: another leader’s piece of the same index is not mixed in', () => {
  const [one, other] = [1, 2].map((byte) => snapshotOf(new Uint8Array(20).fill(byte))) as [Snapshot, Snapshot];
  const pieces = [one, other].map((snapshot) => new SnapshotPieces(snapshot, 10)) as [SnapshotPieces, SnapshotPieces];
  const assembly = new SnapshotAssembly(messageOf(one, pieces[0].piece(0)));
  assert.equal(assembly.isOf({ ...messageOf(other, pieces[1].piece(1)), from: 'c' }), false);
  assert.deepEqual(assembly.take(messageOf(one, pieces[0].piece(0))), { isWhole: false, offset: 10 });
  // Even if it were of the same leader: the sum is of all bytes so far.
  assert.deepEqual(assembly.take(messageOf(other, pieces[1].piece(1))), { isWhole: false, offset: 0 });
});

test('7: a piece that reaches beyond the end is refused', () => {
  const snapshot = snapshotOf(new Uint8Array(5));
  const message = messageOf(snapshot, new SnapshotPieces(snapshot, 10).piece(0));
  assert.deepEqual(new SnapshotAssembly(message).take({ ...message, bytes: 4 }), { isWhole: false, offset: 0 });
});

test('7: a piece that is lost is sent again at once where answers are quick, and later each time where there are none', () => {
  const snapshot = snapshotOf(new Uint8Array(1_000));
  const transfer = new SnapshotTransfer(new SnapshotPieces(snapshot, 1), 16, 8);
  const sent: number[] = [];
  const send = (): void => {
    while (transfer.isPieceDue) sent.push(transfer.takePiece().offset);
  };
  const ticksUntilRetry = (): number => {
    for (let ticks = 1; ; ticks++) {
      transfer.tick();
      if (!transfer.isStalled) continue;
      transfer.rewind();
      sent.length = 0;
      send();
      return ticks;
    }
  };
  for (let have = 1; have <= 100; have++) {
    send();
    if (have % 4 === 0) transfer.tick();
    transfer.answered(have);
  }
  send();
  assert.equal(ticksUntilRetry(), 8);
  assert.deepEqual(sent, [100]);
  assert.deepEqual(Array.from({ length: 9 }, ticksUntilRetry), [8, 16, 32, 64, 128, 256, 512, 512, 512]);
  transfer.answered(101);
  send();
  assert.deepEqual(sent, [100, 101]);
  transfer.tick();
  transfer.answered(102);
  send();
  assert.equal(ticksUntilRetry(), 8);
});
