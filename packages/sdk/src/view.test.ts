import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeUtf8 } from '@holdfast/model';
import { z } from 'zod';
import { compileProcessor } from './compile-processor.ts';
import { defineProcessor } from './define-processor.ts';

test('a view changes no state, with a codec of its author or without', () => {
  const alice = encodeUtf8('alice');
  const codec = {
    encode: ({ list }: { list: number[] }) => encodeUtf8(JSON.stringify(list)),
    decode: (bytes: Uint8Array) => ({ list: JSON.parse(Buffer.from(bytes).toString()) as number[] }),
  };
  for (const more of [{}, { codec }]) {
    const job = compileProcessor(
      defineProcessor({
        name: 'v',
        version: '1',
        input: { logs: { topic: 'logs', schema: z.object({ user: z.string() }), key: (e) => e.user } },
        state: { version: 1, initial: () => ({ list: [1, 2] }), idle: '1h', ...more },
        onEvent: { logs() {} },
        view: ({ list }) => list.reverse(),
      }),
    );
    const state = job.initialState(alice);
    assert.deepEqual([job.view(state, alice), state], [[2, 1], { list: [1, 2] }]);
  }
});
