import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { AdminServer, ServerHost } from '@holdfast/transport-grpc';
import { exitCodes } from '../exit-codes.ts';
import { runHere } from '../run-here.test.ts';
import { sampleStatus } from '../sample-documents.test.ts';

describe('acts on nodes', { timeout: 60_000 }, () => {
  const host = new ServerHost();
  let address = '';
  /** How each look ends: with leases that are left, without a session, or without an answer; the last one goes on. */
  let looks: (number | 'gone' | 'fails')[] = [];
  let onAct: (kind: string) => Promise<{ code: string; text: string | null }>;

  const statusWith = (leases: number, isGone = false) => {
    const nodes = sampleStatus.nodes.map((node) => ({
      ...node,
      leases: { count: leases, stale: false },
      session: isGone ? { ...node.session, id: null } : node.session,
      shards: [],
    }));
    return { schema: sampleStatus.schema, document: { ...sampleStatus, nodes } };
  };

  before(async () => {
    new AdminServer(host, {
      status: async () => {
        const look = looks.length > 1 ? looks.shift()! : looks[0]!;
        if (look === 'fails') throw new Error('busy');
        return look === 'gone' ? statusWith(0, true) : statusWith(look);
      },
      act: async (request) => {
        const { code, text } = await onAct((request as { kind: string }).kind);
        return { schema: 'holdfast/act/v1', document: { code, text, from: null, to: null } };
      },
      getUser: async () => null,
      async *exportUsers() {},
    });
    address = await host.listen();
  });
  after(() => host.close());
  beforeEach(() => {
    onAct = async () => ({ code: 'OK', text: null });
  });

  const node = (...args: string[]) => runHere(['node', ...args, '--addr', address], '/');

  test('a drain whose watcher is not answered once is watched on', async () => {
    looks = [5, 'fails', 0];
    const { exit, err } = await node('drain', 'n1', '--wait', '20s');
    assert.equal(exit, exitCodes.ok, err);
    assert.match(err, /n1 holds nothing and reads nothing/);
  });

  test('a drain that nobody tells of until the wait is over: exit 4', async () => {
    looks = ['fails'];
    const { exit, err } = await node('drain', 'n1', '--wait', '100ms');
    assert.equal(exit, exitCodes.timedOut);
    assert.match(err, /n1 may still drain: nobody answers\. Watch/);
  });

  test('an act that is not answered in time may go on: exit 4', async () => {
    onAct = () => new Promise(() => undefined);
    const { exit, err } = await node('drain', 'n1', '--timeout', '100ms');
    assert.equal(exit, exitCodes.timedOut, err);
    assert.match(err, /did not answer within 100 ms/);
  });

  test('what a node answers is shown with its control characters escaped', async () => {
    looks = [0];
    onAct = async () => ({ code: 'OK', text: 'read\x1b[2J' });
    const { err } = await runHere(['topic', 'replace', 'in', '--yes', '--addr', address], '/');
    assert.equal(err, 'read\\u001b[2J\n');
  });

  test('a removal that is not through when the wait is over: exit 4', async () => {
    looks = [0];
    onAct = async (kind) => {
      return kind === 'removeNode'
        ? { code: 'UNAVAILABLE', text: 'a change is under way' }
        : { code: 'OK', text: null };
    };
    const { exit, err } = await node('rm', 'n1', '--wait', '100ms');
    assert.equal(exit, exitCodes.timedOut, err);
    assert.match(err, /n1 is not removed: a change is under way\. The same command goes on/);
  });

  test('a removal that is refused for a session which ends just then is tried again', async () => {
    looks = [0, 0, 'gone'];
    const answers = ['REFUSED', 'OK'];
    onAct = async (kind) => {
      return { code: kind === 'removeNode' ? answers.shift()! : 'OK', text: 'it has a session' };
    };
    const { exit, err } = await node('rm', 'n1', '--wait', '20s');
    assert.equal(exit, exitCodes.ok, err);
    assert.match(err, /n1 is removed/);
    assert.deepEqual(answers, []);
  });

  test('a removal that is refused for another reason fails', async () => {
    looks = ['gone'];
    onAct = async () => ({ code: 'REFUSED', text: 'no quorum would be left' });
    const { exit, err } = await node('rm', 'n1', '--wait', '20s');
    assert.equal(exit, exitCodes.failed, err);
    assert.match(err, /no quorum would be left/);
  });
});
