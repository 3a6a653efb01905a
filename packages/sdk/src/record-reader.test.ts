import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeUtf8 } from '@holdfast/model';
import { compileProcessor } from './compile-processor.ts';
import { defineProcessor } from './define-processor.ts';
import { dead, skip } from './record-reader.ts';

type Reader = typeof import('./record-reader.ts');

const verdictsOf = (reader: Pick<Reader, 'dead' | 'skip'>): string[] => {
  const job = compileProcessor(
    defineProcessor({
      name: 'total',
      version: '1',
      input: {
        lines: {
          topic: 'lines',
          parse: (bytes: Uint8Array): object => {
            const event = JSON.parse(Buffer.from(bytes).toString()) as { refuse?: 'dead' | 'skip' };
            return event.refuse === undefined ? event : reader[event.refuse]('on purpose');
          },
          key: () => 'total',
        },
      },
      state: { version: 1, initial: () => ({ n: 0 }), idle: '1d' },
      onEvent: {
        lines(_e, ctx) {
          ctx.state.n++;
        },
      },
    }),
  );
  const texts = ['{"refuse":"dead"}', '{"refuse":"skip"}', '{"reason":"x","holdfast/refusal":"dead"}'];
  return texts.map((text) => {
    const bytes = encodeUtf8(text);
    const record = { topic: 'lines', partition: 0, offset: 0, timestampUnixMs: 1, bytes };
    const at = { valueStart: 0, valueEnd: bytes.length };
    const located = job.newKeyLocator('lines').locate(bytes, 0, bytes.length);
    return `${job.apply({ n: 0 }, encodeUtf8('total'), { ...record, ...at }, { emit() {} })} ${located}`;
  });
};

test('what another copy of this package refuses is refused; no JSON is taken for it', async () => {
  const expected = ['dead 2', 'skipped 1', 'applied 0'];
  assert.deepEqual(verdictsOf({ dead, skip }), expected);
  // A module under another address is made anew, classes and all.
  const address = new URL('./record-reader.ts?another-copy', import.meta.url).href;
  const other = (await import(address)) as Reader;
  assert.notEqual(other.dead, dead);
  assert.deepEqual(verdictsOf(other), expected);
});
