import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { LmdbBackupStore } from '@holdfast/embedded';
import { hashUnit, randomBelow, SeededRng, unitHashOut } from '@holdfast/model';
import { loadJob, type StatusDocument, type UserDocument } from '@holdfast/node';
import { decodeRow } from '@holdfast/processor';
import { Cluster, inputTopic } from './support/cluster.ts';
import { holdfast } from './support/holdfast.ts';
import { pause, waitFor } from './support/wait.ts';

const name = fileURLToPath(new URL('./support/deadly-job.ts', import.meta.url));
const partitions = 3;
const users = 300;
const kills = 8;
const restartMs = 300;

type Sums = Map<string, { count: number; total: number }>;

/** Three nodes that a supervisor starts again, and what every user is to have. */
class Bank {
  readonly cluster: Cluster;
  readonly expected: Sums = new Map();
  readonly #rng = new SeededRng(5);
  #starts = 0;
  #isOver = false;
  #supervising: Promise<void>[] = [];

  private constructor(cluster: Cluster) {
    this.cluster = cluster;
  }

  /** @param prepare what is done before its nodes start */
  static async open(prepare: (cluster: Cluster) => Promise<void> = async () => {}): Promise<Bank> {
    const settings = { job: { name }, backup: { interval: '2s' } };
    const bank = new Bank(await Cluster.create({ nodes: 3, partitions, settings }));
    await prepare(bank.cluster);
    bank.#supervising = bank.cluster.nodes.map((node) => bank.#supervise(node));
    return bank;
  }

  /** How often a process was started again. */
  get restarts(): number {
    return this.#starts - this.cluster.nodes.length;
  }

  /** Most go to one user; each user's over all partitions. */
  async deposit(count: number, user?: string, tail = ''): Promise<void> {
    const values: Uint8Array[][] = Array.from({ length: partitions }, () => []);
    for (let i = 0; i < count; i++) {
      const to = user ?? (randomBelow(this.#rng, 10) > 0 ? 'hot' : `u${randomBelow(this.#rng, users)}`);
      const amount = randomBelow(this.#rng, 1_000);
      const sums = this.expected.get(to) ?? { count: 0, total: 0 };
      this.expected.set(to, { count: sums.count + 1, total: sums.total + amount });
      values[randomBelow(this.#rng, partitions)]!.push(Buffer.from(`${to} ${amount}${tail}`));
    }
    for (const [partition, some] of values.entries()) {
      const records = some.map((value) => ({ key: null, value }));
      if (records.length > 0) await this.cluster.log.append(inputTopic, partition, records);
    }
  }

  status(what: string, holds: (status: StatusDocument) => boolean, deadlineMs = 120_000): Promise<StatusDocument> {
    return waitFor(what, deadlineMs, async () => {
      const status = await this.cluster.status();
      return status !== null && holds(status) ? status : null;
    });
  }

  whole(): Promise<StatusDocument> {
    return this.status('three sessions', ({ cluster, nodes }) => {
      return cluster.leader !== null && nodes.filter(({ session }) => session.id !== null).length === 3;
    });
  }

  /** Everything that was ever fed is durable. */
  async committed(): Promise<void> {
    const { log } = this.cluster;
    const { topicId } = (await log.describe(inputTopic))!;
    await waitFor('every record to be durable', 120_000, async () => {
      const ends = await log.endOffsets(inputTopic);
      const commits = await Promise.all(ends.map((_, partition) => log.committed('deposits', { topicId, partition })));
      return commits.every((commit, i) => (commit?.offset ?? 0) === ends[i]) || null;
    });
  }

  async stored(): Promise<Sums> {
    const store = await LmdbBackupStore.open(join(this.cluster.dir, 'store'));
    try {
      const sums: Sums = new Map();
      const job = await loadJob({ name, inputTopic, mapping: 'holdfast' });
      for await (const { row } of store.scan()) {
        for (const { key, state } of row === null ? [] : decodeRow(row).users)
          sums.set(Buffer.from(key).toString(), job.decodeState(state) as { count: number; total: number });
      }
      return sums;
    } finally {
      await store.close();
    }
  }

  async close(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#supervising);
    await this.cluster.dispose();
  }

  async #supervise(node: Cluster['nodes'][number]): Promise<void> {
    while (!this.#isOver) {
      if (!node.running) {
        node.start();
        this.#starts++;
      }
      await pause(restartMs);
    }
  }
}

/** After the bug is mended: the users come out of quarantine, their letters are replayed, and nothing of them is missing. */
async function releaseAndReplay(bank: Bank, users: readonly string[]): Promise<string> {
  const { cluster } = bank;
  const at = ['--addr', cluster.addresses.join()];
  for (const user of users) {
    const released = await holdfast(['user', 'release', user, ...at]);
    assert.equal(released.code, 0, released.stderr);
    assert.equal((await holdfast(['user', 'release', user, ...at])).code, 1);
  }
  await bank.status('the release everywhere', ({ cluster }) => cluster.quarantined === 0);
  const replayed = await holdfast(['dlq', 'replay', '--reason', 'quarantined', '--yes', '--data', cluster.dir]);
  assert.equal(replayed.code, 0, replayed.stderr);
  for (const user of users) await bank.deposit(5, user);
  await bank.committed();
  const sums = await bank.stored();
  for (const user of users) assert.deepEqual(sums.get(user), bank.expected.get(user));
  return replayed.stdout.trim();
}

test('kill -9 under load quarantines nobody, a record that ends processes its user; released and replayed, all counts', {
  timeout: 280_000,
}, async (t) => {
  const startMs = performance.now();
  const say = (text: string) => t.diagnostic(`${((performance.now() - startMs) / 1000).toFixed(1)} s  ${text}`);
  const bank = await Bank.open();
  const { cluster } = bank;
  try {
    await bank.whole();
    const bug = join(cluster.dir, 'bug');
    const rng = new SeededRng(9);
    for (let n = 0; n < kills; n++) {
      for (let burst = 0; burst < 10; burst++) await bank.deposit(1_000);
      await pause(randomBelow(rng, 1_500));
      const node = cluster.nodes[randomBelow(rng, 3)]!;
      const code = await node.signal('SIGKILL');
      say(`kill -9 ${node.id} (${code})`);
      await pause(randomBelow(rng, 2_000));
    }
    await bank.whole();
    await bank.committed();
    const calm = await bank.status('a status', () => true);
    assert.deepEqual([calm.cluster.quarantined, calm.totals.dead], [0, '0']);
    const killedRestarts = bank.restarts;

    writeFileSync(bug, '');
    await bank.deposit(50, 'doomed');
    await bank.committed();
    await bank.deposit(1, 'doomed', ` ${bug}`);
    await bank.deposit(5_000);
    await bank.deposit(20, 'doomed');
    const ill = await bank.status('the quarantine', ({ cluster }) => cluster.quarantined === 1);
    say(`quarantined after ${bank.restarts - killedRestarts} ends`);
    assert.ok(bank.restarts - killedRestarts <= 2 * 3, 'each node ends at most twice of one record');
    await bank.whole();
    assert.ok(ill.cluster.reasons.some(({ code }) => code === 'KEY_QUARANTINED'));
    await bank.committed();
    const restarts = bank.restarts;
    const sums = await bank.stored();
    for (const [user, expected] of bank.expected)
      if (user !== 'doomed') assert.deepEqual(sums.get(user), expected, user);
    assert.ok(sums.get('doomed')!.count >= 50 && sums.get('doomed')!.count < 71);

    const at = ['--addr', cluster.addresses.join()];
    const shown = await holdfast(['user', 'get', 'doomed', ...at, '-o', 'json']);
    assert.equal((JSON.parse(shown.stdout) as UserDocument).quarantined, true);
    rmSync(bug);
    say(await releaseAndReplay(bank, ['doomed']));
    assert.equal(bank.restarts, restarts);
  } finally {
    await bank.close();
  }
});

test('users whose states can not be backed up are quarantined, and end nobody; released and replayed, all counts', {
  timeout: 120_000,
}, async (t) => {
  const bank = await Bank.open();
  const { cluster } = bank;
  const spoilt = ['date', 'function'];
  try {
    await bank.whole();
    const bug = join(cluster.dir, 'bug');
    writeFileSync(bug, '');
    for (const user of spoilt) await bank.deposit(50, user);
    await bank.committed();
    for (const user of spoilt) await bank.deposit(1, user, ` ${user} ${bug}`);
    await bank.deposit(5_000);
    for (const user of spoilt) await bank.deposit(20, user);
    // Between the record that spoils the state and the backup that fails: whoever asks ends nobody either.
    for (const user of spoilt) await holdfast(['user', 'get', user, '--addr', cluster.addresses.join()]);
    const ill = await bank.status('the quarantine', ({ cluster }) => cluster.quarantined === 2);
    assert.ok(ill.cluster.reasons.some(({ code }) => code === 'KEY_QUARANTINED'));
    await bank.committed();
    const sums = await bank.stored();
    for (const [user, expected] of bank.expected) {
      if (!spoilt.includes(user)) assert.deepEqual(sums.get(user), expected, user);
      else assert.ok(sums.get(user)!.count >= 50 && sums.get(user)!.count < 71, user);
    }
    rmSync(bug);
    t.diagnostic(await releaseAndReplay(bank, spoilt));
    assert.equal(bank.restarts, 0);
  } finally {
    await bank.close();
  }
});

/** As a version to come would have written it. */
async function writeStrangeRow({ dir }: Cluster, user: string): Promise<void> {
  const store = await LmdbBackupStore.open(join(dir, 'store'));
  const key = Buffer.from(user);
  hashUnit(key, 0, key.length);
  const row = { ...unitHashOut, epoch: 5, seq: 1, row: Uint8Array.of(99, 1, 2), savedUnixMs: 1 };
  assert.deepEqual(await store.backup(await store.generationId(), [row]), { code: 'OK', results: [{ code: 'OK' }] });
  await store.close();
}

test('a stored row that can not be read stops its user alone; removed, released and replayed, all counts', {
  timeout: 120_000,
}, async (t) => {
  const bank = await Bank.open((cluster) => writeStrangeRow(cluster, 'bent'));
  const { cluster } = bank;
  try {
    await bank.whole();
    await bank.deposit(20, 'bent');
    await bank.deposit(5_000);
    await bank.deposit(20, 'bent');
    const ill = await bank.status('the quarantine', ({ cluster }) => cluster.quarantined === 1);
    assert.ok(ill.cluster.reasons.some(({ code }) => code === 'KEY_QUARANTINED'));
    await bank.committed();
    const at = ['--addr', cluster.addresses.join()];
    assert.match((await holdfast(['user', 'get', 'bent', ...at])).stdout, /its stored row can't be read/);
    const discard = await holdfast(['user', 'discard', 'bent', '--data', cluster.dir, '--yes']);
    assert.equal(discard.code, 0, discard.stderr);
    t.diagnostic(await releaseAndReplay(bank, ['bent']));
    assert.deepEqual(await bank.stored(), bank.expected);
    assert.equal(bank.restarts, 0);
  } finally {
    await bank.close();
  }
});
