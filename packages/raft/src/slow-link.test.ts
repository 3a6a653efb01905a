import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Network } from '../test/network.ts';
import type { RaftMessage } from './index.ts';

const pieceBytes = 100;
const pieces = 40;
/** As the transport does: what waits for the link has a bound, and the oldest goes first. */
const waitingBytesMax = 16 * pieceBytes;

/** Leader `a` has a snapshot for `c`, which it reaches only by a link that carries so much, everything in order. */
function overSlowLink(bytesPerTick: number) {
  const net = new Network(['a', 'b', 'c'], { snapshotChunkBytes: pieceBytes });
  net.elect('a');
  net.cut.add('c');
  for (let i = 0; i < 20; i++) net.node('a').propose(Uint8Array.of(i));
  net.run();
  net.node('a').compact(15, new Uint8Array(pieces * pieceBytes), 0);
  net.cut.clear();
  const waiting: RaftMessage[] = [];
  let piecesSent = 0;
  const bytesOf = (m: RaftMessage | undefined): number => (m?.type === 'snapshot' ? m.data.length : 0);
  net.isLost = (m) => {
    if (m.to !== 'c') return false;
    waiting.push(m);
    if (m.type === 'snapshot') piecesSent++;
    let bytes = waiting.reduce((sum, other) => sum + bytesOf(other), 0);
    while (bytes > waitingBytesMax) bytes -= bytesOf(waiting.shift());
    return true;
  };
  let budget = 0;
  const tick = (): void => {
    net.tick();
    budget = Math.min(budget + bytesPerTick, pieceBytes);
    while (waiting.length > 0 && bytesOf(waiting[0]) <= budget) {
      const message = waiting.shift()!;
      budget -= bytesOf(message);
      net.node('c').step(message);
      net.run();
    }
  };
  const arrivesIn = (ticksMax: number): boolean => {
    for (let i = 0; i < ticksMax; i++) {
      tick();
      if (net.node('c').status().commit >= 15) return true;
    }
    return false;
  };
  return { arrivesIn, sent: () => piecesSent };
}

// The first wait is 10 ticks.
for (const ticksPerPiece of [5, 20, 100, 500]) {
  test(`7: a snapshot arrives over a link that takes ${ticksPerPiece} ticks for a piece`, () => {
    const { arrivesIn, sent } = overSlowLink(pieceBytes / ticksPerPiece);
    assert.ok(arrivesIn(1.5 * pieces * ticksPerPiece + 20), `${sent()} pieces sent`);
    assert.ok(sent() <= 1.5 * pieces, `${sent()} pieces sent`);
  });
}
