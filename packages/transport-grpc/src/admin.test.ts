import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { nodeId } from '@holdfast/model';
import { EventLog } from '@holdfast/testkit';
import {
  AdminClient,
  type AdminClientOptions,
  type AdminDocument,
  type AdminHandlers,
  AdminServer,
  GrpcPeerTransport,
  ServerHost,
} from './index.ts';

const cleanups: (() => Promise<void> | void)[] = [];
after(async () => {
  for (const cleanup of cleanups.reverse()) await cleanup();
});

/** A node with peers and admin service on one server. */
async function node(handlers: Partial<AdminHandlers>, pulseMs?: number): Promise<string> {
  const host = new ServerHost();
  const peers = new GrpcPeerTransport({ nodeId: nodeId('one'), clusterId: 'cluster', host });
  const all: AdminHandlers = {
    status: async () => ({ schema: 'holdfast/status/v1', document: { nodes: 3, name: 'ü ✓' } }),
    getUser: async () => null,
    async *exportUsers() {},
    ...handlers,
  };
  new AdminServer(host, all, pulseMs);
  cleanups.push(() => peers.close());
  return peers.listen({ onRaft() {}, onCall: async (_from, _method, body) => body, onUnreachable() {} });
}

function client(address: string, options: AdminClientOptions = {}): AdminClient {
  const made = new AdminClient(address, options);
  cleanups.push(() => made.close());
  return made;
}

test('status and users; keys are bytes', async () => {
  const seen: Uint8Array[] = [];
  const address = await node({
    getUser: async (key) => {
      seen.push(key);
      return key.length === 0 ? null : { schema: 'holdfast/user/v1', document: { length: key.length } };
    },
  });
  const admin = client(address);
  assert.deepEqual(await admin.status(), { schema: 'holdfast/status/v1', document: { nodes: 3, name: 'ü ✓' } });
  const key = Uint8Array.of(0, 255, 0xd8, 10);
  assert.deepEqual(await admin.getUser(key), { schema: 'holdfast/user/v1', document: { length: 4 } });
  await assert.rejects(admin.getUser(new Uint8Array(0)), { name: 'AdminError', code: 'NOT_FOUND' });
  assert.deepEqual(seen, [key, new Uint8Array(0)]);
});

test('errors: nobody there, no answer, a handler that throws', async () => {
  const host = new ServerHost();
  const gone = await host.listen();
  await host.close();
  await assert.rejects(client(gone).status(), { code: 'UNAVAILABLE', message: new RegExp(`${gone} can't be reached`) });
  const address = await node({
    status: () => new Promise(() => {}),
    getUser: async () => {
      throw new Error('no leader');
    },
  });
  await assert.rejects(client(address, { timeoutMs: 50 }).status(), { code: 'DEADLINE', message: /within 50 ms/ });
  await assert.rejects(client(address).getUser(Uint8Array.of(1)), { code: 'FAILED', message: /no leader/ });
});

const user = (n: number): AdminDocument => ({ schema: 'holdfast/user/v1', document: { n, pad: 'x'.repeat(1000) } });

test('export gives all users, in order', async () => {
  const address = await node({
    async *exportUsers() {
      for (let n = 0; n < 5_000; n++) yield user(n);
    },
  });
  let next = 0;
  for await (const { document } of client(address).exportUsers()) {
    assert.equal((document as { n: number }).n, next++);
  }
  assert.equal(next, 5_000);
});

test('export is asked for only as fast as it is read, and is ended when the reader stops', async () => {
  const log = new EventLog<'ended'>();
  let made = 0;
  const address = await node({
    async *exportUsers() {
      try {
        for (;;) yield user(made++);
      } finally {
        log.add('ended');
      }
    },
  });
  let taken = 0;
  for await (const _ of client(address, { limits: { receiveWindowBytes: 65_535 } }).exportUsers()) {
    if (++taken === 10) await new Promise((resolve) => setTimeout(resolve, 100));
    if (taken === 20) break;
  }
  await log.count(1);
  assert.ok(made < 10_000, `${made} users were read from the store for 20`);
});

test('a user whose document is over the limit of a frame is left out, and the export fails after all others', async () => {
  const address = await node({
    async *exportUsers() {
      yield user(1);
      yield { schema: 'holdfast/user/v1', document: 'x'.repeat(5_000_000) };
      yield user(2);
    },
  });
  const given: unknown[] = [];
  const reading = (async () => {
    for await (const each of client(address).exportUsers()) given.push(each);
  })();
  await assert.rejects(reading, { code: 'FAILED', message: /users whose JSON is over 4194304 bytes are missing: 1/ });
  assert.deepEqual(given, [user(1), user(2)]);
});

test('a fifth export at once is refused, and one more is taken when one has ended', async () => {
  const log = new EventLog<'ended'>();
  const address = await node({
    async *exportUsers() {
      try {
        for (;;) yield user(1);
      } finally {
        log.add('ended');
      }
    },
  });
  const begin = async () => {
    const users = client(address, { limits: { receiveWindowBytes: 65_535 } }).exportUsers();
    await users.next();
    return users;
  };
  const four = await Promise.all([begin(), begin(), begin(), begin()]);
  await assert.rejects(begin(), { code: 'FAILED', message: /4 exports are under way already/ });
  await four[0]!.return(undefined);
  await log.count(1);
  four[0] = await begin();
  for (const users of four) await users.return(undefined);
});

test('an export that breaks says why', async () => {
  const address = await node({
    async *exportUsers() {
      yield user(1);
      throw new Error('store is gone');
    },
  });
  await assert.rejects(all(client(address).exportUsers()), { code: 'FAILED', message: /store is gone/ });
});

test('an export whose next document takes long is waited for while its node is at it', async () => {
  async function* exportUsers() {
    yield user(1);
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    yield user(2);
  }
  const address = await node({ exportUsers }, 10);
  assert.deepEqual(await all(client(address, { timeoutMs: 2_000 }).exportUsers()), [user(1), user(2)]);
});

test('an export that stalls ends at the time limit', async () => {
  const address = await node({
    async *exportUsers() {
      yield user(1);
      await new Promise(() => {});
    },
  });
  await assert.rejects(all(client(address, { timeoutMs: 50 }).exportUsers()), { code: 'DEADLINE' });
});

async function all(documents: AsyncIterable<AdminDocument>): Promise<AdminDocument[]> {
  const list: AdminDocument[] = [];
  for await (const document of documents) list.push(document);
  return list;
}

test('acts carry plain data both ways; a node without a handler takes none', async () => {
  const seen: unknown[] = [];
  const act = async (request: unknown) => {
    seen.push(request);
    return { schema: 'holdfast/act/v1', document: { code: 'OK' } };
  };
  const admin = client(await node({ act }));
  const request = { kind: 'moveUnit', unit: '00ff', shard: null };
  assert.deepEqual(await admin.act(request), { schema: 'holdfast/act/v1', document: { code: 'OK' } });
  assert.deepEqual(seen, [request]);
  await assert.rejects(client(await node({})).act({}), { code: 'FAILED', message: /takes no orders/ });
});
