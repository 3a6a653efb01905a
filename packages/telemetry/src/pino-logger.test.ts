import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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

test('of an error only what it is gets into the log: no command with a password, no row', () => {
  const failed = Object.assign(new Error('WRONGPASS'), { command: { name: 'auth', args: ['s3cret'] }, code: 'REPLY' });
  const around = new AggregateError([failed], 'no server answers', { cause: failed });
  const lines = written('debug', (logger) => {
    logger.warn('trying again', { err: failed });
    logger.error('can not go on', { err: around });
    logger.error('frozen', { err: Object.freeze(new Error('fixed')) });
  });
  assert.ok(!JSON.stringify(lines).includes('s3cret'));
  const [warning, error, frozen] = lines.map(({ err }) => err as Record<string, unknown>);
  assert.deepEqual([warning!.message, warning!.code, warning!.type], ['WRONGPASS', 'REPLY', 'Error']);
  assert.deepEqual([error!.message, error!.type], ['no server answers: WRONGPASS', 'AggregateError']);
  assert.match(error!.stack as string, /caused by: Error: WRONGPASS/);
  assert.equal((error!.aggregateErrors as { code: string }[])[0]!.code, 'REPLY');
  assert.equal(frozen!.message, 'fixed');
});

test('a log that can not be written ends nothing; once it can, it goes on and says what is lost', () => {
  const path = join(dir, 'full.log');
  writeFileSync(path, '');
  // A descriptor that takes nothing stands for a full disk; later the same number is a file.
  const fd = openSync(path, 'r');
  const logger = PinoLogger.create({ level: 'info', base: {}, fd });
  const text = 'x'.repeat(100_000);
  for (let i = 0; i < 30; i++) logger.info(`${i} ${text}`);
  closeSync(fd);
  assert.equal(openSync(path, 'w'), fd);
  logger.info('room again');
  logger.info('and on');
  closeSync(fd);
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
  const messages = lines.map((line) => JSON.parse(line) as { msg: string; lines?: number });
  const lost = messages.find((line) => line.lines !== undefined)!.lines!;
  assert.match(messages[0]!.msg, /^0 x/);
  assert.equal(messages.at(-1)!.msg, 'and on');
  assert.ok(lost > 15 && messages.length - 1 + lost === 32, `${lost} lost, ${messages.length} written`);
});
