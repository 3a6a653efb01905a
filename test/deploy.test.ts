import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { compileConfig } from '@holdfast/node';

test('the example configuration is a valid one', () => {
  const path = new URL('../deploy/examples/node.yaml', import.meta.url).pathname;
  const { config } = compileConfig({ cwd: '/', files: [{ path, text: readFileSync(path, 'utf8') }] });
  assert.equal(config.nodeId, 'n1');
  assert.equal(config.peers.length, 3);
});
