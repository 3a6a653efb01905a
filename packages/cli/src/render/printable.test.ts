import assert from 'node:assert/strict';
import { test } from 'node:test';
import { letterDocument, renderLetter, renderLetters } from '../dlq/letter-documents.ts';
import { sampleStatus, sampleUser } from '../sample-documents.test.ts';
import { renderNode, renderNodes } from '../status/render-nodes.ts';
import { renderStatus } from '../status/render-status.ts';
import { renderUser } from '../users/render-user.ts';
import { printable } from './printable.ts';

const nasty = '\u001b]0;owned\u0007\u009b2J\r\nfake\u202e';
const seen = '\\u001b]0;owned\\u0007\\u009b2J\\r\\nfake\\u202e';

/** Every text in a document, keys too, but those that say what kind of document or state it is, becomes a nasty one. */
function spoilt<T>(value: T, kept: readonly string[]): T {
  if (typeof value === 'string') return `${value}${nasty}` as T;
  if (Array.isArray(value)) return value.map((inner) => spoilt(inner, kept)) as T;
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([name, inner]) => [
    name,
    kept.includes(name) || /^\d+$/.test(inner as string) ? inner : spoilt(inner, kept),
  ]);
  return Object.fromEntries(entries) as T;
}

function check(lines: readonly string[]): void {
  for (const line of lines) assert.doesNotMatch(line, /[\p{Cc}\u202e]/u);
  assert.ok(lines.join('').includes(seen));
}

test('what acts on a terminal is escaped, all else is left as it is', () => {
  assert.equal(printable(nasty), seen);
  assert.equal(printable('Zoë 李 \u{1f468}\u200d\u{1f469} C:\\new "x"'), 'Zoë 李 \u{1f468}\u200d\u{1f469} C:\\new "x"');
});

test('nothing that a record or another machine says reaches a terminal raw', () => {
  const user = spoilt(sampleUser, ['source', 'consistency', 'at']);
  const state = { ...(user.state as object), [nasty]: nasty, list: [nasty, { [nasty]: { deep: nasty } }] };
  check(renderUser({ ...user, state }, true));
  check(renderUser({ ...user, state: null, stateError: nasty }));
  check(renderUser({ ...user, state: nasty }));

  const status = spoilt(sampleStatus, ['health', 'severity', 'at']);
  check(renderStatus(status, { wide: true, style: (_kind, text) => text }));
  check(renderStatus({ ...status, nodes: [] }, { wide: false, style: (_kind, text) => text }));
  check(renderNodes(status.nodes, nasty));
  for (const node of status.nodes) check(renderNode(node, nasty));

  const bytes = (text: string) => new TextEncoder().encode(text);
  const letter = {
    partition: 0,
    offset: 1,
    atUnixMs: 0,
    id: nasty,
    reason: nasty,
    job: nasty,
    version: nasty,
    from: { topic: nasty, partition: 0, offset: 3 },
    output: null,
    wholeBytes: null,
    keyIs: 'record' as const,
    key: bytes(nasty),
    value: bytes(nasty),
    ownHeaders: { [nasty]: nasty },
  };
  const document = letterDocument(letter);
  check(renderLetter(document));
  const at = new Date(0).toISOString();
  const letters = [{ ...document, at }];
  check(renderLetters({ schema: 'holdfast/dlq/v1', at, topic: 't', records: '1', looked: '1', letters }));
});
