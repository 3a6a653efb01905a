import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Logger, type NodeId, nodeId, silentLogger } from '@holdfast/model';
import { decodeJson, encodeJson } from './calls.ts';
import { Founding, type FoundingOptions, foundingMethod } from './founding.ts';
import { nodeOfMember } from './member-id.ts';
import { VirtualTime } from './virtual-network.test.ts';

const [n1, n2, n3, n4] = ['n1', 'n2', 'n3', 'n4'].map(nodeId) as [NodeId, NodeId, NodeId, NodeId];
const founders = [n1, n2, n3];

type Storage = { readonly member: string; readonly isBlank: boolean; readonly hasLog?: boolean };
const blank = (member: string): Storage => ({ member, isBlank: true, hasLog: false });
const withLog = (member: string): Storage => ({ member, isBlank: false, hasLog: true });
const voted = (member: string): Storage => ({ member, isBlank: false, hasLog: false });

/** A founder, and what the others answer it. */
class Asking {
  readonly time = new VirtualTime();
  readonly storages = new Map<NodeId, Storage>();
  readonly founded: (readonly string[])[] = [];
  readonly lines: { readonly level: string; readonly text: string; readonly atMs: number }[] = [];
  peers: readonly NodeId[] = [];
  askedCount = 0;
  own = blank('n1/a');
  founding: Founding | null = null;

  begin(storages: readonly Storage[], more: Partial<FoundingOptions> = {}): this {
    for (const storage of storages) this.answers(storage);
    const note = (level: string) => (text: string) =>
      void this.lines.push({ level, text, atMs: this.time.monotonicMs() });
    const logger: Logger = { ...silentLogger, info: note('info'), warn: note('warn') };
    const own = (): Storage => this.own;
    this.founding = new Founding({
      nodeId: n1,
      member: 'n1/a',
      voters: founders,
      peers: () => this.peers,
      hasRunBefore: false,
      epochBase: async () => 0,
      driver: {
        get isBlank() {
          return own().isBlank;
        },
        status: () => ({ lastIndex: own().hasLog === true ? 1 : 0 }) as never,
        found: (members) => {
          this.founded.push(members);
          this.own = withLog('n1/a');
        },
        listenOnlyTo: () => {},
      },
      transport: { call: (to, method) => this.#call(to, method) },
      timers: this.time,
      logger,
      ...more,
    });
    return this;
  }

  answers(storage: Storage): void {
    this.storages.set(nodeOfMember(storage.member), storage);
  }

  async #call(to: NodeId, method: string): Promise<Uint8Array> {
    assert.equal(method, foundingMethod);
    this.askedCount++;
    const storage = this.storages.get(to);
    if (storage === undefined) throw new Error('not up');
    return encodeJson({ ...storage, voters: founders });
  }
}

test('a voter with a log is mended: the cluster is founded without a restart of the founder', async () => {
  const asking = new Asking().begin([withLog('n2/b'), blank('n3/c')]);
  await asking.time.run(60_000);
  assert.deepEqual(asking.founded, []);
  asking.answers(blank('n2/d'));
  await asking.time.run(6_000);
  assert.deepEqual(asking.founded, [['n1/a', 'n2/d', 'n3/c']]);
});

test('a vote without a log is a trace like a log, also of a node that does not say which', async () => {
  for (const trace of [voted('n2/b'), { member: 'n2/b', isBlank: false }]) {
    const asking = new Asking().begin([trace, blank('n3/c')]);
    await asking.time.run(60_000);
    assert.deepEqual(asking.founded, []);
    asking.answers(blank('n2/d'));
    await asking.time.run(6_000);
    assert.deepEqual(asking.founded, [['n1/a', 'n2/d', 'n3/c']]);
  }
});

test('who has voted says that it is not blank', () => {
  const asking = new Asking();
  asking.own = voted('n1/a');
  asking.begin([]);
  const request = encodeJson({ founder: 'n2/b', promise: false });
  const { isBlank, hasLog } = decodeJson<Storage>(asking.founding!.answer(n2, request));
  assert.deepEqual({ isBlank, hasLog }, { isBlank: false, hasLog: false });
  assert.match(asking.lines[0]!.text, /^this node has a Raft vote without a log: it founds nothing/);
});

test('a founder that a cluster takes in meanwhile founds none', async () => {
  const asking = new Asking().begin([withLog('n2/b'), withLog('n3/c')]);
  await asking.time.run(10_000);
  asking.own = voted('n1/a');
  const { askedCount } = asking;
  asking.answers(blank('n2/d'));
  asking.answers(blank('n3/e'));
  await asking.time.run(60_000);
  assert.deepEqual(asking.founded, []);
  assert.equal(asking.askedCount, askedCount);
});

test('a stranger that has shown a log and falls silent keeps the founder from founding', async () => {
  const asking = new Asking();
  asking.peers = [n4];
  asking.begin([blank('n2/b'), blank('n3/c'), withLog('n4/d')]);
  await asking.time.run(5_000);
  asking.peers = [];
  asking.storages.delete(n4);
  await asking.time.run(600_000);
  assert.deepEqual(asking.founded, []);
  asking.answers(blank('n4/d'));
  await asking.time.run(600_000);
  assert.deepEqual(asking.founded, [], 'a storage that has forgotten its log is none without a past');
  asking.answers(blank('n4/e'));
  await asking.time.run(6_000);
  assert.equal(asking.founded.length, 1);
});

test('who founds alone listens for others again after the only one that it heard of was mended', async () => {
  const asking = new Asking();
  asking.peers = [n4];
  asking.begin([withLog('n4/d')], { voters: [n1] });
  await asking.time.run(60_000);
  asking.answers(blank('n4/e'));
  const asked = asking.askedCount;
  await asking.time.until(() => asking.askedCount > asked, 6_000);
  await asking.time.run(4_000);
  assert.deepEqual(asking.founded, []);
  asking.answers(withLog('n4/e'));
  await asking.time.run(60_000);
  assert.deepEqual(asking.founded, []);
  asking.answers(blank('n4/f'));
  await asking.time.run(11_000);
  assert.deepEqual(asking.founded, [['n1/a']]);
});

test('what a founder waits for it says once, and after half a minute what an operator can do; it asks ever less often', async () => {
  const asking = new Asking().begin([withLog('n2/b'), voted('n3/c')]);
  await asking.time.run(600_000);
  assert.deepEqual(
    asking.lines.map(({ level }) => level),
    ['info', 'warn'],
  );
  const [first, second] = asking.lines;
  assert.match(first!.text, /^there is a cluster already \(a Raft log at n2, a vote without a log at n3\)/);
  assert.match(second!.text, /as there is a Raft log at n2, a vote without a log at n3: .* move its raft folder away/);
  assert.ok(second!.atMs - first!.atMs >= 30_000);
  assert.ok(asking.askedCount < 2 * 140, `${asking.askedCount} questions`);
});

test('who founds alone on a blank log and store founds at once', async () => {
  const asking = new Asking().begin([], { voters: [n1] });
  await asking.time.run(0);
  assert.deepEqual(asking.founded, [['n1/a']]);
});

test('who founds alone listens first when its folder is not new, or log or store have served a cluster or do not say', async () => {
  const cases: Partial<FoundingOptions>[] = [
    { hasRunBefore: true },
    { epochBase: async () => 7_000 },
    { epochBase: () => Promise.reject(new Error('away')) },
    { epochBase: () => new Promise(() => {}) },
  ];
  for (const more of cases) {
    const asking = new Asking().begin([withLog('n4/d')], { voters: [n1], ...more });
    await asking.time.run(4_000);
    assert.deepEqual(asking.founded, []);
    assert.match(asking.lines[0]!.text, /its storage is blank: listening for the others of a cluster$/);
    asking.peers = [n4];
    await asking.time.run(60_000);
    assert.deepEqual(asking.founded, [], 'gossip has told of one that has a log');
    const alone = new Asking().begin([], { voters: [n1], ...more });
    await alone.time.run(8_000);
    assert.deepEqual(alone.founded, [['n1/a']]);
  }
});

test('nobody founds while gossip shows a node alive that does not say that it knows of no cluster', async () => {
  for (const voters of [[n1], founders]) {
    const asking = new Asking();
    asking.peers = [...founders, n4];
    asking.begin([blank('n2/b'), blank('n3/c')], { voters, hasRunBefore: true });
    await asking.time.run(20_000);
    const said = () => asking.lines.at(-1)!;
    assert.equal(said().level, 'info');
    assert.match(said().text, /^no cluster yet: waiting for the word of n4, alive by gossip/);
    await asking.time.run(60_000);
    assert.deepEqual(asking.founded, []);
    assert.equal(said().level, 'warn');
    assert.match(said().text, /^nothing is founded, as n4, alive by gossip, can not be asked .*: mend the way to its/);
    if (voters === founders) asking.answers(blank('n4/d'));
    else asking.peers = founders;
    await asking.time.run(6_000);
    assert.equal(asking.founded.length, 1, 'it has answered, or is not alive any more');
  }
});
