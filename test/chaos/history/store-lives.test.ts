import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeRecords, type LeaseRecord } from '@holdfast/lease';
import { formatUnit } from '@holdfast/model';
import { encodeRow } from '@holdfast/processor';
import type { HistoryEvent } from './event.ts';
import type { History } from './read-history.ts';
import { livesOf } from './store-lives.ts';
import type { StoredUnit } from './unit-order.ts';

const rowOf = (text: string) => {
  const users = [{ key: Buffer.from('u'), job: 'j', state: Buffer.from(text) }];
  return Buffer.from(encodeRow({ users, vector: [] })).toString('base64');
};

/** Events of one thread, a microsecond apart. */
class Story {
  readonly #events: HistoryEvent[] = [];
  #calls = 0;

  get history(): History {
    return { events: this.#events.map((event) => ({ thread: 1, event })), threads: ['', 'n1'] };
  }

  generation(number: number, storeGeneration: string): this {
    const record: LeaseRecord = { kind: 'generationChanged', storeGeneration, number, continues: true };
    const data = Buffer.from(encodeRecords([record])).toString('base64');
    return this.#add({ k: 'entry', node: 'n1', index: number, term: 1, data });
  }

  claim(generation: string, unit: number, epoch: number, answer: 'FENCED' | string | null | undefined): this {
    const id = ++this.#calls;
    this.#add({ k: 'claim', id, generation, claims: [[unit, unit, epoch]] });
    if (answer === undefined) return this;
    const result = answer === 'FENCED' ? (['FENCED', epoch + 1] as const) : (['OK', answer] as const);
    return this.#add({ k: 'claimDone', id, code: 'OK', results: [result] });
  }

  backup(
    generation: string,
    unit: number,
    epoch: number,
    seq: number,
    row: string,
    code: 'OK' | 'STALE' | 'GENERATION',
  ): this {
    const id = ++this.#calls;
    this.#add({ k: 'backup', id, generation, rows: [[unit, unit, epoch, seq, row]] });
    if (code === 'GENERATION') return this.#add({ k: 'backupDone', id, code, results: [] });
    return this.#add({ k: 'backupDone', id, code: 'OK', results: [[code]] });
  }

  #add(event: Record<string, unknown>): this {
    this.#events.push({ t: this.#events.length, ...event } as unknown as HistoryEvent);
    return this;
  }
}

function problemsOf(story: Story, stored: Readonly<Record<number, StoredUnit>>, beginsEmpty = false) {
  const problems: string[] = [];
  const units = new Map(Object.entries(stored).map(([unit, row]) => [formatUnit(Number(unit), Number(unit)), row]));
  const lives = livesOf(story.history, units, (text) => problems.push(text), beginsEmpty);
  return { problems, lives };
}

test('a store that was lost, and one that took its place with older rows', () => {
  const story = new Story()
    .generation(1, 'first')
    .claim('first', 1, 5, null)
    .backup('first', 1, 5, 1, rowOf('a'), 'OK')
    .backup('first', 1, 5, 2, rowOf('b'), 'OK')
    .claim('first', 2, 5, null)
    .generation(2, 'second')
    .generation(2, 'second')
    // What the replica had: the second row is lost, unit 2 was never there, unit 3 nobody asks for.
    .claim('second', 1, 7, rowOf('a'))
    .backup('second', 2, 5, 9, rowOf('c'), 'OK');
  const stored = {
    1: { epoch: 7, seq: 0, row: rowOf('a') },
    2: { epoch: 5, seq: 9, row: rowOf('c') },
    3: { epoch: 4, seq: 4, row: rowOf('d') },
  };
  const { problems, lives } = problemsOf(story, stored);
  assert.deepEqual(problems, []);
  assert.deepEqual(
    lives.map(({ life, steps }) => [life.generationId, steps.length, [...life.rows.keys()].length]),
    [
      ['first', 4, 0],
      ['second', 2, 2],
    ],
  );
  const rows = lives[1]!.life.rows;
  assert.deepEqual(
    [1, 3].map((unit) => rows.get(formatUnit(unit, unit))?.epoch),
    [6, 4],
  );
});

test('planted: a store of unknown beginning that accepts an older epoch after a later one', () => {
  const story = new Story()
    .generation(1, 'first')
    .generation(2, 'second')
    .claim('second', 1, 7, rowOf('a'))
    .backup('second', 1, 6, 3, rowOf('late'), 'OK');
  const { problems } = problemsOf(story, { 1: { epoch: 6, seq: 3, row: rowOf('late') } });
  assert.match(problems.join(), /^I2: unit .* have no order/);
});

test('planted: a first life that begins with a row, and a last one that ends with another row than was written', () => {
  const begun = new Story().generation(1, 'first').claim('first', 1, 5, rowOf('a'));
  assert.match(problemsOf(begun, { 1: { epoch: 5, seq: 0, row: rowOf('a') } }).problems.join(), /I2: unit/);
  const unasked = new Story().generation(1, 'first');
  assert.match(problemsOf(unasked, { 4: { epoch: 5, seq: 0, row: null } }).problems.join(), /which nobody wrote/);
  const other = new Story()
    .generation(1, 'first')
    .generation(2, 'second')
    .claim('second', 1, 7, 'FENCED')
    .claim('second', 1, 9, rowOf('a'))
    .backup('second', 1, 9, 1, rowOf('b'), 'OK');
  assert.match(problemsOf(other, { 1: { epoch: 9, seq: 1, row: rowOf('c') } }).problems.join(), /I2: unit/);
  assert.deepEqual(problemsOf(other, { 1: { epoch: 9, seq: 1, row: rowOf('b') } }).problems, []);
});

test('a row that was refused for its generation may be there or not', () => {
  const story = new Story()
    .generation(1, 'first')
    .claim('first', 1, 5, null)
    .backup('first', 1, 5, 1, rowOf('a'), 'OK')
    .backup('first', 1, 5, 2, rowOf('b'), 'GENERATION');
  for (const [seq, text] of [
    [1, 'a'],
    [2, 'b'],
  ] as const)
    assert.deepEqual(problemsOf(story, { 1: { epoch: 5, seq, row: rowOf(text) } }).problems, []);
  assert.match(problemsOf(story, { 1: { epoch: 5, seq: 2, row: rowOf('c') } }).problems.join(), /I2: unit/);
});

test('where everything was lost, nothing of before is there for a holder that writes back', () => {
  const story = new Story()
    .generation(1, 'first')
    .claim('first', 1, 5, null)
    .backup('first', 1, 5, 1, rowOf('a'), 'OK')
    .generation(2, 'second')
    .backup('second', 1, 5, 1, rowOf('a'), 'OK');
  const stored = { 1: { epoch: 5, seq: 1, row: rowOf('a') } };
  const rowsAtFirst = (beginsEmpty: boolean) => {
    const { problems, lives } = problemsOf(story, stored, beginsEmpty);
    assert.deepEqual(problems, []);
    return lives[1]!.life.rows.size;
  };
  assert.equal(rowsAtFirst(false), 1);
  assert.equal(rowsAtFirst(true), 0);
  const kept = new Story().generation(1, 'first').generation(2, 'second').claim('second', 1, 7, rowOf('a'));
  assert.match(problemsOf(kept, { 1: { epoch: 7, seq: 0, row: rowOf('a') } }, true).problems.join(), /I2: unit/);
});
