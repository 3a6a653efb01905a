import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Logger, silentLogger } from '@holdfast/model';
import { Renewed } from './renewed.ts';

test('what is read anew, and the last good one where that fails, which is told once', () => {
  const told: unknown[] = [];
  const logger: Logger = { ...silentLogger, warn: (_, fields) => told.push(fields?.problem) };
  let read = (): string => 'one';
  const secret = new Renewed('password', () => read(), logger);
  assert.equal(secret.now, 'one');
  read = () => 'two';
  assert.equal(secret.now, 'two');
  read = () => {
    throw new Error('no such file');
  };
  assert.deepEqual([secret.now, secret.now], ['two', 'two']);
  assert.deepEqual(told, ['no such file']);
  read = () => 'three';
  assert.equal(secret.now, 'three');
  assert.equal(new Renewed('password', 'fixed', logger).now, 'fixed');
});

test('what can not be used is not used; at first it is an error', () => {
  let value = { key: 'a' };
  const check = ({ key }: { key: string }) => {
    if (key === 'bad') throw new Error('no key');
  };
  const renewed = new Renewed('tls', () => value, silentLogger, check);
  value = { key: 'bad' };
  assert.deepEqual(renewed.now, { key: 'a' });
  assert.throws(() => new Renewed('tls', () => value, silentLogger, check), /no key/);
});
