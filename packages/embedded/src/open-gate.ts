import { randomBytes, randomInt } from 'node:crypto';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { EmbeddedError } from './errors.ts';
import { type LifeSign, lives, removeSign, showLife } from './life-sign.ts';

const idle = Buffer.from('-');
const writing = Buffer.from('w');
/**
 * An opener that hasn't got in for so long lets the writers go on for a moment: one of those it waits for may be stopped.
 * Twice as long each time, up to the second figure: on a slow disk each write may take longer than the first.
 */
const attemptMsMin = 250;
const attemptMsMax = 4_000;
const lookMs = 1;
const showAgainMs = 250;
const closingMsMax = 1_000;

/**
 * Keeps openings and closings of a shared LMDB environment apart from commits, over all processes and threads.
 *
 * liblmdb, as lmdb-js builds it, sets the shared number of the last transaction when it opens an environment, from a
 * meta page that it has read before, and without the lock of the writers (OpenLDAP ITS#9496). A transaction committed in
 * between is lost: the next writer begins from the one before, and overwrites it. So here writers and openers shut each
 * other out: each first shows what it does in the folder, then looks for the others, and steps back when it finds one.
 * Writers step back for openers at once; an opener waits for the writes under way. What a dead process shows doesn't count.
 *
 * A write costs one small write to a file before, one after, and the listing of an empty folder: a few microseconds
 * beside its fsync.
 */
export class OpenGate {
  readonly #dir: string;
  readonly #openers: string;
  readonly #id: string;
  readonly #sign: LifeSign;
  readonly #fd: number;
  readonly #timeoutMs: number;
  #writes = 0;
  #ended = false;
  /** Writers that found an opener, in their order. */
  #waiting: Promise<void> | null = null;

  private constructor(dir: string, id: string, sign: LifeSign, fd: number, timeoutMs: number) {
    this.#dir = dir;
    this.#openers = join(dir, 'openers');
    this.#id = id;
    this.#sign = sign;
    this.#fd = fd;
    this.#timeoutMs = timeoutMs;
  }

  /** Takes part in the gate of the environment in the folder `path`, made when missing. */
  static async join(path: string, timeoutMs: number): Promise<OpenGate> {
    const dir = join(path, 'gate');
    mkdirSync(join(dir, 'openers'), { recursive: true });
    const id = randomBytes(8).toString('hex');
    const sign = await showLife(dir, id);
    const fd = openSync(join(dir, id), 'wx');
    writeSync(fd, Buffer.concat([idle, Buffer.from(sign.stored)]));
    const gate = new OpenGate(dir, id, sign, fd, timeoutMs);
    // What killed processes left would pile up otherwise.
    await Promise.all(gate.#others().map((other) => gate.#isAlive(other)));
    return gate;
  }

  /**
   * Runs `action` while no other participant writes, opens or closes. This one must not be writing.
   * @throws EmbeddedError WRITE_STALLED when another one has not come to an end of its writing for `timeoutMs`
   */
  async whileOpening<T>(action: () => T): Promise<Awaited<T>> {
    const deadline = performance.now() + this.#timeoutMs;
    for (let attemptMs = attemptMsMin; ; attemptMs = Math.min(attemptMs * 2, attemptMsMax)) {
      const untilMs = Math.min(performance.now() + attemptMs, deadline);
      const done = await this.#tryMarked(() => this.#writersGone(untilMs), action);
      if (done !== null) return done.value;
      if (performance.now() >= deadline) {
        const text = `${this.#dir}: another process has been in the middle of a write for ${this.#timeoutMs} ms`;
        throw new EmbeddedError('WRITE_STALLED', text);
      }
      await sleep(randomInt(1, 20));
    }
  }

  /**
   * Runs `action` once, while no other participant opens or closes: the last one to close destroys the locks in the file,
   * which is harmless to writers, as one who isn't alone is not the last. Doesn't wait for others for ever, nor keep them
   * out for as long as `action` may take; and where the gate's files can't be used (a full disk, too many open files, a
   * folder that is gone) it goes without: an opener that meets destroyed locks gets an error, and a process that wants to
   * end must be able to.
   */
  async whileClosing<T>(action: () => T): Promise<Awaited<T>> {
    const deadline = performance.now() + closingMsMax;
    const run = async (): Promise<Awaited<T>> => await action();
    const closing: { running: Promise<Awaited<T>> | null } = { running: null };
    const begin = (): Promise<void> => {
      closing.running = run();
      return settled(closing.running, closingMsMax);
    };
    try {
      while (performance.now() < deadline && (await this.#tryMarked(async () => true, begin)) === null) {
        await sleep(randomInt(1, 20));
      }
    } catch {
      // No mark, or no look at the others'.
    }
    return closing.running ?? run();
  }

  /** Before a write: null when it may begin at once, else when it may. Every write `leave`s when it has come to its end. */
  enter(): Promise<void> | null {
    if (this.#waiting === null && this.#tryEnter()) return null;
    return this.#enterLater();
  }

  /** Doesn't throw: the write has had its end, and its outcome is what counts. */
  leave(): void {
    if (--this.#writes === 0) this.#showIdle();
  }

  /** After the environment was closed. */
  async end(): Promise<void> {
    this.#ended = true;
    closeSync(this.#fd);
    removeQuietly(join(this.#dir, this.#id));
    await this.#sign.end();
  }

  /** When it throws, nothing was entered, and nothing stays shown. */
  #tryEnter(): boolean {
    const isFirst = this.#writes++ === 0;
    let mayWrite = false;
    try {
      if (isFirst) this.#show(writing);
      mayWrite = this.#otherOpeners().length === 0;
    } finally {
      if (!mayWrite) this.leave();
    }
    return mayWrite;
  }

  async #enterLater(): Promise<void> {
    this.#waiting ??= this.#openersGone().finally(() => {
      this.#waiting = null;
    });
    await this.#waiting;
    const again = this.enter();
    if (again !== null) await again;
  }

  async #openersGone(): Promise<void> {
    for (;;) {
      const openers = this.#otherOpeners();
      if (openers.length === 0) return;
      for (const id of openers) await this.#isAlive(id);
      await sleep(lookMs);
    }
  }

  /** Shows itself as an opener, and runs `action` unless there is another one or `mayGo` says no: null then. */
  async #tryMarked<T>(mayGo: () => Promise<boolean>, action: () => T): Promise<{ value: Awaited<T> } | null> {
    const mark = join(this.#openers, this.#id);
    writeFileSync(mark, '');
    try {
      for (const id of this.#otherOpeners()) if (await this.#isAlive(id)) return null;
      return (await mayGo()) ? { value: await action() } : null;
    } finally {
      removeQuietly(mark);
    }
  }

  /** Waits for the writers, but not for long at a time. */
  async #writersGone(untilMs: number): Promise<boolean> {
    for (const id of this.#others()) {
      while (this.#isWriting(id) && (await this.#isAlive(id))) {
        if (performance.now() > untilMs) return false;
        await sleep(lookMs);
      }
    }
    return true;
  }

  #others(): string[] {
    return readdirSync(this.#dir).filter((id) => id !== this.#id && /^[0-9a-f]+$/.test(id));
  }

  #isWriting(id: string): boolean {
    return read(join(this.#dir, id))?.[0] === writing[0];
  }

  /** Of a dead one the traces are removed: its name never comes back. */
  async #isAlive(id: string): Promise<boolean> {
    // Before the look into its file, which it has written before it made a mark.
    const isMarked = existsSync(join(this.#openers, id));
    const shown = read(join(this.#dir, id));
    if (shown !== null) {
      // A power cut leaves the file of one that had just come without what was written, or with zeros in its place.
      const stored = shown.toString('utf8', 1).replaceAll('\0', '');
      if (stored === '' ? !isMarked : await lives(this.#dir, stored)) return true;
      if (stored !== '') removeSign(this.#dir, stored);
      removeQuietly(join(this.#dir, id));
    }
    removeQuietly(join(this.#openers, id));
    return false;
  }

  #otherOpeners(): string[] {
    try {
      const found = readdirSync(this.#openers);
      return found.length === 0 ? found : found.filter((id) => id !== this.#id);
    } catch (error) {
      // The whole folder was removed: what is still written to its files reaches nobody.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
  }

  /** Where it fails it is tried again: openers, of whatever process, would wait for this one in vain. */
  #showIdle(): void {
    try {
      this.#show(idle);
    } catch {
      setTimeout(() => {
        if (this.#writes === 0) this.#showIdle();
      }, showAgainMs).unref();
    }
  }

  #show(state: Buffer): void {
    // The number of a closed file may be another file's by now.
    if (!this.#ended) writeSync(this.#fd, state, 0, 1, 0);
  }
}

function read(file: string): Buffer | null {
  try {
    return readFileSync(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

function removeQuietly(file: string): void {
  try {
    unlinkSync(file);
  } catch {
    // Gone already, or its folder is.
  }
}

/** Resolves when the promise is settled, however, or after so long. */
async function settled(promise: Promise<unknown>, atMostMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, atMostMs);
  });
  await Promise.race([promise.catch(() => undefined), late]);
  clearTimeout(timer);
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
