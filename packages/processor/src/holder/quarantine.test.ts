import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PartitionId } from '@holdfast/model';
import type { CrashNotes } from '../crash-notes.ts';
import { partition, Scene, unitOf } from './test-scene.test.ts';

test('each record of a quarantined unit is one dead letter, before its row is written, and the job sees none of them', () => {
  const scene = new Scene();
  const { holder, counters } = scene;
  scene.send(10, [['a', 'x']]);
  scene.open();
  holder.quarantine.set([{ ...unitOf('a'), before: null }], 0);
  scene.send(11, [
    ['a', 'die'],
    ['b', 'y'],
    ['a', 'z'],
  ]);
  scene.open();
  scene.send(11, [['a', 'die']]);
  assert.deepEqual(scene.letters(), ['a:die@11', 'a:z@13']);
  const { recordsApplied, recordsDead, recordsQuarantined, recordsDuplicate } = counters;
  assert.deepEqual([recordsApplied, recordsDead, recordsQuarantined, recordsDuplicate], [2, 2, 2, 1]);
  holder.beginRound();
  const written = () => holder.takeRows(10, 1).map(({ hi }) => hi);
  assert.deepEqual(written(), [unitOf('b').hi], 'its letters are not in the log yet');
  holder.onOutputsAcked(2, 1);
  assert.deepEqual(written(), [unitOf('a').hi]);
});

test('a unit that was released has what came before its release buried, and the rest applied', () => {
  const scene = new Scene();
  const before = { offsetOf: (of: PartitionId) => (of.partition === partition.partition ? 12 : 0) };
  scene.holder.quarantine.set([{ ...unitOf('a'), before }], 0);
  scene.send(10, [
    ['a', 'die'],
    ['a', 'x'],
    ['a', 'y'],
  ]);
  scene.open();
  assert.deepEqual(scene.letters(), ['a:die@10', 'a:x@11']);
  assert.equal(scene.counters.recordsApplied, 1);
});

test('nothing is claimed before the quarantine is known as it was at the grants', () => {
  const scene = new Scene();
  scene.quarantineIndex = 9;
  scene.send(10, [['a', 'die']]);
  assert.deepEqual([scene.holder.claimsQueued, scene.open()], [0, 0]);
  scene.holder.quarantine.set([{ ...unitOf('a'), before: null }], 9);
  assert.deepEqual([scene.holder.claimsQueued, scene.open()], [1, 1]);
  assert.deepEqual(scene.letters(), ['a:die@10']);
});

/** Writes the notes down, as they come. */
class Notebook implements CrashNotes {
  lines: string[] = [];
  suspects = (_first: number, _last: number): boolean => false;

  frame({ partition: number }: PartitionId, first: number, last: number): void {
    this.lines.push(`${number}/${first}-${last}`);
  }

  record(hi: number, _lo: number, { partition: number }: PartitionId, offset: number): void {
    this.lines.push(`${hi} ${number}/${offset}`);
  }

  clear(): void {
    this.lines.push('-');
  }

  isSuspect(_partition: PartitionId, first: number, last: number): boolean {
    return this.suspects(first, last);
  }

  take(): string[] {
    return this.lines.splice(0);
  }
}

test('a frame is noted once, under suspicion each of its records, and those that waited one by one', () => {
  const notes = new Notebook();
  const scene = new Scene(notes);
  const { hi } = unitOf('a');
  scene.send(10, [
    ['a', 'x'],
    ['a', 'y'],
  ]);
  assert.deepEqual(notes.take(), [], 'they wait for their unit');
  scene.open();
  assert.deepEqual(notes.take(), [`${hi} 3/10`, `${hi} 3/11`, '-']);
  const three = [
    ['a', 'x'],
    ['a', 'y'],
    ['a', 'z'],
  ] as const;
  scene.send(20, three);
  assert.deepEqual(notes.take(), ['3/20-22', '-']);
  notes.suspects = (first, last) => first <= 31 && last >= 31;
  scene.send(30, three);
  assert.deepEqual(notes.take(), [`${hi} 3/30`, `${hi} 3/31`, `${hi} 3/32`, '-']);
  scene.send(30, three);
  scene.holder.quarantine.set([{ ...unitOf('a'), before: null }], 0);
  scene.send(40, three);
  assert.deepEqual(notes.take(), [], 'of duplicates and quarantined records the job sees nothing');
});

test('the note stands when the process ends in the job', () => {
  const notes = new Notebook();
  const scene = new Scene(notes);
  scene.send(10, [['a', 'x']]);
  scene.open();
  notes.take();
  assert.throws(() => scene.send(11, [['a', 'die']]));
  assert.deepEqual(notes.take(), ['3/11-11']);
});

test('no note stands when a job wants to be stopped at a record, alone or in a frame', () => {
  const notes = new Notebook();
  const scene = new Scene(notes);
  const { hi } = unitOf('a');
  scene.send(10, [['a', 'stop']]);
  assert.throws(() => scene.open(), { name: 'StopWantedError' });
  assert.deepEqual(notes.take(), [`${hi} 3/10`, '-']);
  const next = new Scene(notes);
  next.send(10, [['a', 'x']]);
  next.open();
  notes.take();
  const two = [
    ['a', 'y'],
    ['a', 'stop'],
  ] as const;
  assert.throws(() => next.send(11, two), { name: 'StopWantedError' });
  assert.deepEqual(notes.take(), ['3/11-12', '-']);
  assert.deepEqual([next.letters(), next.counters.recordsApplied], [[], 2]);
});
