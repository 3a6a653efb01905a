import assert from 'node:assert/strict';
import { closeSync, fstatSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { topicId } from '@holdfast/model';
import { crashFolderConformance } from '@holdfast/testkit';
import { openCrashFolder, openCrashNotes } from './crash-folder.ts';
import { temporaryFolder } from './test-support.test.ts';

const partition = { topicId: topicId('t'), partition: 0 };
const fail = (error: unknown): never => assert.fail(String(error));

crashFolderConformance('files', async () => {
  const { dir, remove } = temporaryFolder();
  const opened: { close(): void }[] = [];
  return {
    start: () => ({
      reports: openCrashFolder(join(dir, 'crash')),
      notes: (shard, counter) => {
        const notes = openCrashNotes(join(dir, 'crash'), shard, counter, fail);
        opened.push(notes);
        return notes;
      },
    }),
    close: async () => {
      for (const notes of opened) notes.close();
      remove();
    },
  };
});

test('a note or a memory that a power cut has torn is no note', () => {
  const { dir, remove } = temporaryFolder();
  try {
    openCrashFolder(dir);
    const notes = openCrashNotes(dir, 0, 1, fail);
    notes.record(1, 2, partition, 3);
    notes.close();
    const file = join(dir, 'shard-0');
    const whole = readFileSync(file);
    for (let at = 0; at < whole.length; at++) {
      const bent = Buffer.from(whole);
      bent[at]! ^= 0x40;
      writeFileSync(file, at % 2 === 0 ? bent : whole.subarray(0, at));
      writeFileSync(join(dir, 'known.json'), '{"format":1,"cra');
      const { pending } = openCrashFolder(dir);
      assert.ok(pending.length === 0 || (at > 0 && at < 4), `byte ${at}: ${JSON.stringify(pending)}`);
    }
  } finally {
    remove();
  }
});

test('a note that can not be written is said once, and harms nobody', () => {
  const { dir, remove } = temporaryFolder();
  try {
    openCrashFolder(dir);
    const errors: unknown[] = [];
    // The lowest number that is free, which the notes get next.
    const number = openSync(join(dir, 'other'), 'w');
    closeSync(number);
    const notes = openCrashNotes(dir, 0, 1, (error) => errors.push(error));
    closeSync(number);
    notes.record(1, 2, partition, 3);
    notes.clear();
    assert.equal(errors.length, 1);
  } finally {
    remove();
  }
});

test('notes that are closed touch no file that was opened since', () => {
  const { dir, remove } = temporaryFolder();
  try {
    openCrashFolder(dir);
    const notes = openCrashNotes(dir, 0, 1, fail);
    notes.close();
    const path = join(dir, 'other');
    // It gets the number of the notes.
    const other = openSync(path, 'w');
    notes.record(1, 2, partition, 3);
    notes.close();
    assert.equal(fstatSync(other).size, 0);
    closeSync(other);
  } finally {
    remove();
  }
});
