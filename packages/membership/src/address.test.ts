import assert from 'node:assert/strict';
import { it } from 'node:test';
import { formatAddress, parseAddress } from './address.ts';
import { incarnationOfStart, isIncarnation } from './incarnation.ts';
import { incarnationMax, startCounterMax } from './limits.ts';

it('reads host:port and [ipv6]:port, nothing else', () => {
  for (const text of ['10.0.0.1:1', 'node-1.example.com:65535', '[::1]:7400', '[fe80::1]:80']) {
    const address = parseAddress(text);
    assert.ok(address !== null, text);
    assert.equal(formatAddress(address.host, address.port), text);
  }
  const bad = [
    '',
    ':',
    ':80',
    'a',
    'a:',
    'a:0',
    'a:65536',
    'a:01',
    'a:1e3',
    'a b:1',
    '::1:80',
    '[::1:80',
    '[a]:1',
    '-a:1',
  ];
  for (const text of [...bad, `${'a'.repeat(200)}:1`]) assert.equal(parseAddress(text), null, text);
});

it('gives each start incarnations of its own', () => {
  assert.ok(incarnationOfStart(3) > incarnationOfStart(2) + 1_000_000);
  assert.ok(isIncarnation(incarnationOfStart(startCounterMax)));
  assert.ok(
    !isIncarnation(incarnationMax + 1) && !isIncarnation(-1) && !isIncarnation(0.5) && !isIncarnation(Number.NaN),
  );
  assert.throws(() => incarnationOfStart(startCounterMax + 1), /start counter/);
});
