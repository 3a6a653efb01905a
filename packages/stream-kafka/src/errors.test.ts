import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LogError } from '@holdfast/engine';
import { appendError, KafkaError } from './errors.ts';

test('whatever an append fails of, it is said how many of its records are there', () => {
  const told = [
    appendError(new KafkaError('DENIED', 'refused'), 3),
    appendError(new LogError('UNKNOWN_TOPIC', 'gone'), 3),
    appendError(new RangeError('no memory for it'), 3),
    appendError('nothing that has a name', 0),
  ];
  assert.ok(told.every((error) => error instanceof LogError));
  assert.deepEqual(
    told.map(({ code, message, appended }) => [code, message, appended]),
    [
      ['ACCESS_DENIED', 'refused', 3],
      ['UNKNOWN_TOPIC', 'gone', 3],
      ['LOG_IO', 'no memory for it', 3],
      ['LOG_IO', 'nothing that has a name', 0],
    ],
  );
});
