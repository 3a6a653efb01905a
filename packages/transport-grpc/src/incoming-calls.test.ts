import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { type CallsCall, IncomingCalls } from './incoming-calls.ts';
import { defaultLimits } from './limits.ts';
import { encodeCallRequest } from './peer-codec.ts';

/** A stream whose other end reads nothing: what is written never leaves. */
class DeafCall extends EventEmitter {
  written = 0;
  sendMetadata(): void {}
  end(): void {}
  write(bytes: Buffer): boolean {
    this.written += bytes.length;
    return false;
  }
}

test('who asks and does not read the answers is cut off, before they fill the memory', async () => {
  const call = new DeafCall();
  let answered = 0;
  const ended = once(call, 'error');
  const calls = new IncomingCalls(call as unknown as CallsCall, {
    limits: { ...defaultLimits, sendBufferBytesMax: 1_000_000 },
    refusal: () => null,
    onCall: async () => {
      answered++;
      return new Uint8Array(200_000);
    },
    onClosed: (closed) => assert.equal(closed, calls),
  });
  call.emit('data', encodeCallRequest({ kind: 'hello', hello: { clusterId: 'c', from: 'one', to: 'two' } }));
  for (let id = 1; id <= 20; id++) {
    call.emit('data', encodeCallRequest({ kind: 'call', id, method: 'm', body: new Uint8Array(0) }));
  }
  const [error] = await ended;
  assert.equal(error.code, status.RESOURCE_EXHAUSTED);
  assert.ok(answered >= 5 && call.written < 1_300_000, `${answered} answers, ${call.written} bytes`);
});
