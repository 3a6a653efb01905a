import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { LmdbLog, openDataFolder } from '@holdfast/embedded';
import type { StatusDocument } from '@holdfast/node';
import { holdfast } from './support/holdfast.ts';
import { NodeProcess } from './support/node-process.ts';
import { newPeers } from './support/peers.ts';
import { waitFor } from './support/wait.ts';

const clock = { monotonicMs: () => performance.now(), wallUnixMs: () => Date.now() };
const topic = 'logins';

test('an input topic that is missing or made anew is unhealthy, until it is there or an operator consents', {
  timeout: 120_000,
}, async () => {
  const dir = mkdtempSync(join(tmpdir(), 'holdfast-topics-'));
  const opened = openDataFolder(dir, Date.now());
  if (opened.code !== 'OK') throw new Error(opened.text);
  const { logPath } = opened.folder;
  const [peer] = await newPeers(1);
  const { address, gossip } = peer!;
  const configPath = join(dir, 'n1.json');
  const listen = { control: address, gossip, http: 'off' };
  const settings = { node: { id: 'n1' }, cluster: { peers: [peer] }, data: dir, listen, shards: 1 };
  writeFileSync(configPath, JSON.stringify({ ...settings, job: { input: topic } }));
  const node = new NodeProcess('n1', configPath, join(dir, 'n1.log'));
  const withLog = async (work: (log: LmdbLog) => Promise<unknown>) => {
    const log = await LmdbLog.open(logPath, clock);
    await work(log);
    await log.close();
  };
  const makeTopic = () => withLog((log) => log.createTopic(topic, 2));
  const status = async () => {
    return JSON.parse((await holdfast(['status', '--addr', address, '-o', 'json'])).stdout) as StatusDocument;
  };
  const until = (what: string, exit: number, reason: RegExp | null) =>
    waitFor(what, 30_000, async () => {
      const { code, stdout } = await holdfast(['status', '--addr', address, '-o', 'json']);
      if (code !== exit) return null;
      const { cluster } = JSON.parse(stdout) as StatusDocument;
      const texts = cluster.reasons.filter((known) => known.code === 'TOPIC_UNUSABLE').map(({ text }) => text);
      return reason === null ? texts.length === 0 || null : reason.test(texts.join()) || null;
    });
  const replace = (...args: string[]) => holdfast(['topic', 'replace', ...args, '--addr', address]);
  try {
    node.start();
    await until('a missing topic', 10, /there is no topic logins/);
    assert.match((await replace(topic)).stderr, /there is no topic logins\nnothing was replaced: say --yes/);
    await makeTopic();
    await until('the topic to be read', 0, null);
    assert.match((await replace(topic, '--yes')).stderr, /topic logins is the one that is read: nothing to replace/);

    await node.signal('SIGTERM');
    rmSync(logPath, { recursive: true });
    await makeTopic();
    node.start();
    await until('another topic', 10, /topic logins was deleted and made anew: .*holdfast topic replace logins/);
    assert.match((await replace(topic)).stderr, /was deleted and made anew.*\nnothing was replaced/);
    const wrong = await replace('other', '--yes');
    assert.deepEqual([wrong.code, /the job reads no topic other; its input: logins/.test(wrong.stderr)], [1, true]);
    const done = await replace(topic, '--yes');
    assert.deepEqual([done.code, done.stderr.split(':')[0]], [0, 'replaced']);
    await until('the new topic to be in order', 0, null);
    await withLog((log) => log.append(topic, 1, [{ key: null, value: Buffer.from('no record of a login') }]));
    await waitFor('its record to be read', 30_000, async () => (await status()).totals.read === '1' || null);
    assert.equal(node.output.match(/there is no such topic/g)?.length, 1);
    assert.equal(await node.signal('SIGTERM'), 0);
  } finally {
    await node.signal('SIGKILL');
    rmSync(dir, { recursive: true, force: true });
  }
});
