import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import fs, { mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { describe, mock, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { randomBelow, SeededRng } from '@holdfast/model';
import { LmdbEnv } from './lmdb-env.ts';
import { OpenGate } from './open-gate.ts';
import { temporaryFolder } from './test-support.test.ts';

const timeoutMs = 20_000;
const specs = { t: { versions: false } };

const [, , role, path = ''] = process.argv;
if (role === 'write') await dieWriting(path);
else if (role === 'open') await dieOpening(path);
else tests();

async function dieWriting(path: string): Promise<void> {
  (await OpenGate.join(path, timeoutMs)).enter();
  process.kill(process.pid, 'SIGKILL');
}

async function dieOpening(path: string): Promise<void> {
  await (await OpenGate.join(path, timeoutMs)).whileOpening(() => process.kill(process.pid, 'SIGKILL'));
}

async function diesAt(what: string, path: string): Promise<void> {
  const child = fork(import.meta.filename, [what, path], { execArgv: ['--conditions=source'] });
  assert.deepEqual(await once(child, 'exit'), [null, 'SIGKILL']);
}

/** Whether it is settled after some turns of the loop and waits of the gate. */
async function settles(promise: Promise<unknown>): Promise<boolean> {
  let done = false;
  void promise.then(() => {
    done = true;
  });
  for (let i = 0; i < 20 && !done; i++) await new Promise((resolve) => setTimeout(resolve, 1));
  return done;
}

/** Until it is mended, as on a disk that is full or broken. */
function breakWrites(code: string): () => void {
  const broken = mock.method(fs, 'writeSync', () => {
    throw Object.assign(new Error(code), { code });
  });
  syncBuiltinESMExports();
  return () => {
    broken.mock.restore();
    syncBuiltinESMExports();
  };
}

function tests(): void {
  describe('the gate of a shared environment', () => {
    test('openers are alone, writers only shut openers out', async () => {
      const { dir, remove } = temporaryFolder();
      const rng = new SeededRng(3);
      const gates = await Promise.all(Array.from({ length: 5 }, () => OpenGate.join(dir, timeoutMs)));
      let writers = 0;
      let openers = 0;
      let together = 0;
      await Promise.all(
        gates.map(async (gate) => {
          for (let i = 0; i < 60; i++) {
            if (randomBelow(rng, 10) === 0) {
              await gate.whileOpening(async () => {
                openers++;
                for (let turns = randomBelow(rng, 5); turns >= 0; turns--) {
                  assert.deepEqual([writers, openers], [0, 1]);
                  await turn();
                }
                openers--;
              });
              continue;
            }
            const wait = gate.enter();
            if (wait !== null) await wait;
            writers++;
            for (let turns = randomBelow(rng, 5); turns >= 0; turns--) {
              assert.equal(openers, 0);
              if (writers > 1) together++;
              await turn();
            }
            writers--;
            gate.leave();
          }
        }),
      );
      assert.ok(together > 0);
      for (const gate of gates) await gate.end();
      assert.deepEqual(readdirSync(join(dir, 'gate')), ['openers']);
      assert.deepEqual(readdirSync(join(dir, 'gate/openers')), []);
      remove();
    });

    test('what a process showed when it was killed holds nobody up, and is cleared away', async () => {
      const { dir, remove } = temporaryFolder();
      const gate = await OpenGate.join(dir, timeoutMs);
      await diesAt('write', dir);
      await gate.whileOpening(() => undefined);
      await diesAt('open', dir);
      const wait = gate.enter();
      assert.notEqual(wait, null, 'whether the opener lives has to be looked at');
      await wait;
      gate.leave();
      await gate.end();
      assert.deepEqual(readdirSync(join(dir, 'gate')), ['openers']);
      remove();
    });

    test('an opener says so when a write does not end', async () => {
      const { dir, remove } = temporaryFolder();
      const [stuck, opener, other] = await Promise.all([1, 2, 3].map(() => OpenGate.join(dir, 300)));
      stuck!.enter();
      const opening = assert.rejects(
        opener!.whileOpening(() => undefined),
        { code: 'WRITE_STALLED', message: /in the middle of a write/ },
      );
      // Others write meanwhile: the opener steps back from time to time.
      await other!.enter();
      other!.leave();
      await opening;
      for (const gate of [stuck, opener, other]) await gate!.end();
      remove();
    });

    test('an opener gets in however long the writes of others take that wait for each other', async () => {
      const { dir, remove } = temporaryFolder();
      const [opener, ...writers] = await Promise.all(Array.from({ length: 5 }, () => OpenGate.join(dir, timeoutMs)));
      const writesMax = 60;
      // Longer than an opener waits the first time, even for one of them alone.
      const writeMs = 300;
      let writes = 0;
      let opened = false;
      // As LMDB has them: all have begun, and one after the other gets its turn.
      let turnOf: Promise<void> = Promise.resolve();
      const writing = writers.map(async (gate) => {
        while (!opened && writes < writesMax) {
          await gate.enter();
          turnOf = turnOf.then(() => new Promise((resolve) => setTimeout(resolve, writeMs)));
          await turnOf;
          writes++;
          gate.leave();
        }
      });
      await opener!.whileOpening(() => {
        opened = true;
      });
      await Promise.all(writing);
      assert.ok(writes < writesMax, `${writes} writes came first`);
      for (const gate of [opener!, ...writers]) await gate.end();
      remove();
    });

    test('a write that the gate fails leaves nothing shown', async () => {
      const { dir, remove } = temporaryFolder();
      const [writer, opener] = [await OpenGate.join(dir, 300), await OpenGate.join(dir, 300)];
      const openers = join(dir, 'gate/openers');
      rmdirSync(openers);
      writeFileSync(openers, '');
      assert.throws(() => writer.enter(), { code: 'ENOTDIR' });
      unlinkSync(openers);
      mkdirSync(openers);
      assert.equal(await opener.whileOpening(() => 'opened'), 'opened');
      assert.equal(writer.enter(), null);
      await assert.rejects(
        opener.whileOpening(() => 'opened'),
        { code: 'WRITE_STALLED' },
      );
      writer.leave();
      for (const gate of [writer, opener]) await gate.end();
      remove();
    });

    test('a write that could not be shown does not count, and the next one is shown', async () => {
      const { dir, remove } = temporaryFolder();
      const [writer, opener] = [await OpenGate.join(dir, 300), await OpenGate.join(dir, 300)];
      const mend = breakWrites('EIO');
      assert.throws(() => writer.enter(), { code: 'EIO' });
      mend();
      assert.equal(writer.enter(), null);
      await assert.rejects(
        opener.whileOpening(() => 'opened'),
        { code: 'WRITE_STALLED' },
      );
      writer.leave();
      assert.equal(await opener.whileOpening(() => 'opened'), 'opened');
      for (const gate of [writer, opener]) await gate.end();
      remove();
    });

    test('an end of a write that could not be shown is shown later', async () => {
      const { dir, remove } = temporaryFolder();
      const [writer, opener] = [await OpenGate.join(dir, timeoutMs), await OpenGate.join(dir, timeoutMs)];
      writer.enter();
      const mend = breakWrites('ENOSPC');
      writer.leave();
      mend();
      assert.equal(await opener.whileOpening(() => 'opened'), 'opened');
      for (const gate of [writer, opener]) await gate.end();
      remove();
    });

    test('a write that ends after the gate touches no other file', async () => {
      const { dir, remove } = temporaryFolder();
      const writer = await OpenGate.join(dir, timeoutMs);
      writer.enter();
      await writer.end();
      // As many as it takes to get the number of the closed one.
      const files = Array.from({ length: 20 }, (_, i) => join(dir, `file-${i}`));
      const numbers = files.map((file) => fs.openSync(file, 'wx'));
      writer.leave();
      for (const number of numbers) fs.closeSync(number);
      assert.deepEqual(new Set(files.map((file) => readFileSync(file, 'utf8'))), new Set(['']));
      remove();
    });

    test('a closing waits for an opening, not for a write, and for neither for ever', async () => {
      const { dir, remove } = temporaryFolder();
      const [writer, opener, closer] = await Promise.all([1, 2, 3].map(() => OpenGate.join(dir, timeoutMs)));
      let finish = (): void => undefined;
      const opening = opener!.whileOpening(() => new Promise<void>((resolve) => (finish = resolve)));
      await settles(opening);
      const closing = closer!.whileClosing(() => 'closed');
      assert.equal(await settles(closing), false);
      finish();
      await opening;
      assert.equal(await closing, 'closed');

      const again = opener!.whileOpening(() => new Promise<void>((resolve) => (finish = resolve)));
      await settles(again);
      assert.equal(
        await closer!.whileClosing(() => 'closed beside an opening that is stuck'),
        'closed beside an opening that is stuck',
      );
      finish();
      await again;

      writer!.enter();
      assert.equal(await closer!.whileClosing(() => 'closed'), 'closed');
      writer!.leave();
      for (const gate of [writer, opener, closer]) await gate!.end();
      remove();
    });

    test('a closing that can not be shown is done all the same, once, and with its own outcome', async () => {
      const { dir, remove } = temporaryFolder();
      const gate = await OpenGate.join(dir, timeoutMs);
      const openers = join(dir, 'gate/openers');
      rmdirSync(openers);
      assert.equal(await gate.whileClosing(() => 'closed without a folder'), 'closed without a folder');
      writeFileSync(openers, '');
      assert.equal(await gate.whileClosing(async () => 'closed on a broken disk'), 'closed on a broken disk');
      unlinkSync(openers);
      mkdirSync(openers);
      let times = 0;
      const fails = (): never => {
        times++;
        throw new Error('not closed');
      };
      await assert.rejects(gate.whileClosing(fails), /not closed/);
      assert.deepEqual([times, readdirSync(openers)], [1, []]);
      await gate.end();
      remove();
    });

    test('an environment whose gate is gone closes, and says so to all who ask', async () => {
      const { dir, remove } = temporaryFolder();
      const env = await LmdbEnv.open(dir, specs);
      rmSync(join(dir, 'gate/openers'), { recursive: true });
      const closing = env.close();
      assert.equal(env.close(), closing);
      await closing;
      assert.throws(() => env.refresh(), { code: 'CLOSED' });
      const again = await LmdbEnv.open(dir, specs);
      await again.write(() => [again.table('t').put(Buffer.from('k'), Buffer.from('v'))]);
      await again.close();
      remove();
    });

    test('a closing that has no end keeps others out for a moment only', async () => {
      const { dir, remove } = temporaryFolder();
      const [closer, other] = await Promise.all([1, 2].map(() => OpenGate.join(dir, timeoutMs)));
      let finish = (): void => undefined;
      const closing = closer!.whileClosing(() => new Promise<void>((resolve) => (finish = resolve)));
      assert.equal(await settles(closing), false);
      const wait = other!.enter();
      assert.notEqual(wait, null, 'it is shown');
      await wait;
      other!.leave();
      assert.equal(await other!.whileOpening(() => 'opened'), 'opened');
      finish();
      await closing;
      for (const gate of [closer, other]) await gate!.end();
      remove();
    });

    test('who came just before a power cut, of which the mark is left and an empty file, holds nobody up', async () => {
      for (const left of ['', '\0\0\0']) {
        const { dir, remove } = temporaryFolder();
        const gate = await OpenGate.join(dir, timeoutMs);
        for (const place of ['gate', 'gate/openers']) writeFileSync(join(dir, place, 'deadbeefdeadbeef'), '');
        writeFileSync(join(dir, 'gate/deadbeefdeadbeef'), left);
        const isFree = await settles(gate.enter() ?? Promise.resolve());
        rmSync(join(dir, 'gate/openers/deadbeefdeadbeef'), { force: true });
        assert.ok(isFree);
        gate.leave();
        await gate.whileOpening(() => undefined);
        await gate.end();
        assert.deepEqual(readdirSync(join(dir, 'gate')), ['openers']);
        remove();
      }
    });

    test('an environment opens, writes and closes through it', async () => {
      const { dir, remove } = temporaryFolder();
      const gate = await OpenGate.join(dir, timeoutMs);
      gate.enter();
      const opening = LmdbEnv.open(dir, specs);
      assert.equal(await settles(opening), false, 'no opening beside a write');
      gate.leave();
      const env = await opening;

      let finish = (): void => undefined;
      const opener = gate.whileOpening(() => new Promise<void>((resolve) => (finish = resolve)));
      await settles(opener);
      const write = env.write(() => [env.table('t').put(Buffer.from('k'), Buffer.from('v'))]);
      const exclusive = env.exclusive(() => 1);
      assert.equal(await settles(Promise.race([write, exclusive])), false, 'no write beside an opening');
      finish();
      await opener;
      assert.deepEqual([await write, await exclusive], [[true], 1]);

      gate.enter();
      await env.close();
      gate.leave();
      await gate.end();
      remove();
    });
  });
}
