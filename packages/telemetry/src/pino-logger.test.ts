import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type LoggerOptions, PinoLogger } from './pino-logger.ts';

const dir = mkdtempSync(join(tmpdir(), 'holdfast-logger-'));
after(() => rmSync(dir, { recursive: true, force: true }));

/** What a logger of this level writes. */
function written(level: LoggerOptions['level'], write: (logger: PinoLogger) => void): Record<string, unknown>[] {
  const path = join(dir, `${level}.log`);
  const fd = openSync(path, 'w');
  write(PinoLogger.create({ level, base: { node: 'n1' }, fd }));
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
  closeSync(fd);
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

const broken = () => {
  const cause = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:9092'), { code: 'ECONNREFUSED' });
  return Object.assign(new Error('no broker answers', { cause }), { code: 'LOG_IO' });
};

test('a warning says what failed in its line, an error where', () => {
  const [warning, error] = written('info', (logger) => {
    logger.warn('trying again', { err: broken(), tries: 5 });
    logger.error('can not go on', { err: broken() });
  });
  assert.deepEqual(warning!.err, { type: 'Error', message: 'no broker answers', code: 'LOG_IO' });
  assert.deepEqual([warning!.msg, warning!.tries, warning!.node], ['trying again', 5, 'n1']);
  assert.match((error!.err as { stack: string }).stack, /pino-logger\.test/);
});

test('at level debug a warning has the stack too', () => {
  const [warning] = written('debug', (logger) => logger.warn('trying again', { err: broken() }));
  assert.match((warning!.err as { stack: string }).stack, /ECONNREFUSED/);
});

test('what is no error stays as it is', () => {
  const [warning] = written('warn', (logger) => {
    logger.info('not shown');
    logger.warn('fields', { err: 'text', other: 1 });
  });
  assert.deepEqual([warning!.err, warning!.other], ['text', 1]);
});
