import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileText } from './compile-text.test.ts';
import { configWarnings } from './config-warnings.ts';

const warningsOf = (text: string) => configWarnings(compileText(`gossip: {seal: none}\n${text}`).config);

test('a warning where other machines can reach plain links, and no error', () => {
  const open = 'listen: {control: "10.0.0.1:7400", shards: "0.0.0.0:7410"}\n';
  const peers = 'cluster: {peers: [{id: n1, address: "10.0.0.1:7400", gossip: "127.0.0.1:7401"}]}\n';
  assert.deepEqual(warningsOf(''), []);
  assert.deepEqual(warningsOf(`${open}${peers}tls: {ca: a, cert: b, key: c}`), []);
  const [warning, ...more] = warningsOf(open + peers);
  assert.deepEqual(more, []);
  assert.match(
    warning!,
    /^other machines can reach listen\.control \(10\.0\.0\.1:7400\) and listen\.shards \(0\.0\.0\.0:7410\)/,
  );
  assert.match(warningsOf('listen: {shards: "10.0.0.1:7410"}')[0]!, /reach listen\.shards \(10\.0\.0\.1:7410\), and/);
});

test('a warning where another node is elsewhere and only this machine can reach a link', () => {
  const peers = (host: string) =>
    `cluster: {peers: [{id: n1, address: "10.0.0.1:7400", gossip: "10.0.0.1:7401"}, {id: n2, address: "${host}:7400", gossip: "${host}:7401"}]}\n`;
  const tls = 'tls: {ca: a, cert: b, key: c}\n';
  assert.deepEqual(
    warningsOf(`${tls}${peers('10.0.0.2')}listen: {control: "10.0.0.1:7400", gossip: "10.0.0.1:7401"}`),
    ['only this machine can reach listen.shards (127.0.0.1:0), and n2 is at 10.0.0.2:7400'],
  );
  assert.match(
    warningsOf(peers('n2.example'))[0]!,
    /reach listen\.control .* and listen\.shards .* and listen\.gossip/,
  );
  assert.deepEqual(warningsOf(peers('localhost')), []);
});
