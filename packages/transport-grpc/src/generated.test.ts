import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { generatedFile, protoTextSource } from '../scripts/generate.ts';

test('the generated file has the text of the proto files (else run scripts/generate.ts)', () => {
  assert.equal(readFileSync(generatedFile, 'utf8'), protoTextSource());
});
