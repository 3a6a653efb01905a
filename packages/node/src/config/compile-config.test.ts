import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { compileConfig } from './compile-config.ts';
import { configJsonSchema, settingRows } from './config-documents.ts';
import { ConfigError, formatProblem } from './config-problem.ts';
import { durationMs, sizeBytes } from './units.ts';

const cwd = '/srv';

function problemsOf(run: () => unknown): string[] {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.problems.map(formatProblem);
  }
  return [];
}

test('a node id is all that a node needs', () => {
  const { config } = compileConfig({ flags: { 'node.id': 'n1' }, cwd });
  assert.equal(config.clusterName, 'holdfast');
  assert.equal(config.dataDir, '/srv/holdfast-data');
  assert.deepEqual(config.peers, [{ id: 'n1', address: '127.0.0.1:7400', gossipAddress: '127.0.0.1:7401' }]);
  assert.equal(config.sessionTtlMs, 12_000);
  assert.equal(config.backupIntervalMs, 30_000);
  assert.equal(config.drainDeadlineMs, 120_000);
  assert.equal(config.limits.frameBytesMax, 262_144);
  assert.ok(config.shardCount >= 1);
  assert.ok(Object.isFrozen(config) && Object.isFrozen(config.peers[0]));
});

test('flags win over variables, these over files, later files over earlier ones', () => {
  const { config, origins } = compileConfig({
    flags: { 'session.ttl': '20s' },
    env: { HOLDFAST_SESSION_TTL: '30s', HOLDFAST_SHARDS: '3', HOLDFAST_ADDR: 'x:1', HOME: '/root', HOLDFAST_DATA: '' },
    files: [
      { path: '/etc/holdfast/a.yaml', text: 'node: {id: n1}\ndata: here\nshards: 9\nbackup: {interval: 5s}' },
      { path: '/etc/holdfast/b.json', text: '{"backup":{"interval":"7s"},"job":{"mapping":"m.yaml"}}' },
    ],
    cwd,
  });
  assert.equal(config.sessionTtlMs, 20_000);
  assert.equal(config.shardCount, 3);
  assert.equal(config.backupIntervalMs, 7_000);
  // Paths in a file are relative to the file.
  assert.equal(config.dataDir, resolve('/etc/holdfast/here'));
  assert.equal(config.job.mapping, '/etc/holdfast/m.yaml');
  const origin = (path: string) => origins.find((row) => row.path === path)?.origin;
  assert.equal(origin('session.ttl'), '--session-ttl');
  assert.equal(origin('shards'), 'HOLDFAST_SHARDS');
  assert.equal(origin('backup.interval'), '/etc/holdfast/b.json');
  assert.equal(origin('cluster.name'), 'default');
});

test('all problems are listed at once, with where they come from and the nearest known name', () => {
  const problems = problemsOf(() =>
    compileConfig({
      flags: { 'backup.interval': '30' },
      env: { HOLDFAST_SESION_TTL: '3s', HOLDFAST_SHARDS: 'many' },
      files: [{ path: '/c.yaml', text: 'nod: {id: n1}\nsession: {tll: 3s}\nlimits: 3\ncluster: {peers: [{id: n1}]}' }],
      cwd,
    }),
  );
  assert.deepEqual(problems, [
    'nod: (/c.yaml): unknown setting; did you mean node?',
    'session.tll: (/c.yaml): unknown setting; did you mean session.ttl?',
    'limits: 3 (/c.yaml): a group with frameRecords, frameBytes, framesInFlight, bytesInFlight, parkedRecords, parkedBytes, outputsUnacked, outputBytes, fetchBytes, backupRows',
    'HOLDFAST_SESION_TTL: (environment): unknown variable; did you mean HOLDFAST_SESSION_TTL?',
    'node.id: missing; give --node-id, HOLDFAST_NODE_ID or node.id in the file (name of this node, unique in the cluster and the same at each start)',
    'cluster.peers[0].address: (/c.yaml): host:port, such as 10.0.0.11:7400 or [::1]:7400',
    'cluster.peers[0].gossip: (/c.yaml): host:port, such as 10.0.0.11:7400 or [::1]:7400',
    'shards: "many" (HOLDFAST_SHARDS): a whole number from 1 to 256',
    'backup.interval: "30" (--backup-interval): a duration with its unit, such as 500ms, 30s or 2m',
  ]);
});

test('settings are checked together', () => {
  const peers = 'n2=10.0.0.2:7400/10.0.0.2:7401,n3=10.0.0.2:7400/10.0.0.3:7401';
  const problems = problemsOf(() =>
    compileConfig({
      flags: {
        'node.id': 'n1',
        'cluster.peers': peers,
        'session.renew': '5s',
        'session.stop': '12s',
        'listen.http': '127.0.0.1:7400',
        'listen.shards': '127.0.0.1:65535',
        shards: '2',
        'limits.frameBytes': '9MiB',
        'limits.parkedBytes': '0B',
        'limits.outputBytes': '0.2B',
        'limits.fetchBytes': '1023B',
      },
      cwd,
    }),
  );
  assert.deepEqual(
    problems.map((line) => line.slice(0, line.indexOf(':'))),
    [
      'limits.parkedBytes',
      'limits.outputBytes',
      'limits.fetchBytes',
      'session.renew',
      'session.stop',
      'limits.frameBytes',
      'limits.frameBytes',
      'cluster.peers',
      'cluster.peers',
      'listen.shards',
      'listen.http',
    ],
  );
  assert.match(problems[7]!, /must include this node \(node\.id n1\)/);
});

test('what is wrong by itself hides nothing of what is wrong beside it', () => {
  const peers = [{ id: 'n2', address: 'a:1', gossip: 'a:2' }];
  const given = {
    node: { id: 'n1' },
    log: { kind: 'kafka' },
    session: { renew: '5s' },
    cluster: { peers },
    redis: { url: 'redis://r' },
  };
  const of = (more: object) => {
    const file = { path: '/c.json', text: JSON.stringify({ ...given, ...more }) };
    return problemsOf(() => compileConfig({ files: [file], cwd })).map((line) => line.slice(0, line.indexOf(':')));
  };
  const relations = ['kafka.brokers', 'redis.url', 'session.renew', 'cluster.peers'];
  const without = (...hidden: string[]) => relations.filter((path) => !hidden.includes(path));
  assert.deepEqual(of({}), relations);
  assert.deepEqual(of({ limits: { backupRows: 0 } }), ['limits.backupRows', ...relations]);
  for (const shards of [0, [], {}]) assert.deepEqual(of({ shards }), ['shards', ...relations]);
  // What can't be compared with it isn't.
  assert.deepEqual(of({ session: { ttl: '5' } }), ['session.ttl', ...without('session.renew')]);
  assert.deepEqual(of({ node: {} }), ['node.id', ...without('cluster.peers')]);
  assert.deepEqual(of({ log: { kind: 'kafk' } }), ['log.kind', ...without('kafka.brokers')]);
  assert.deepEqual(of({ store: { kind: 'redos' } }), ['store.kind', ...without('redis.url')]);
});

test('a document that is none is one problem, not a stack', () => {
  const flags = { 'node.id': 'n1' };
  const read = (text: string) => problemsOf(() => compileConfig({ flags, files: [{ path: '/c.yaml', text }], cwd }));
  assert.match(read('a: [')[0]!, /^\/c\.yaml: no YAML or JSON document: /);
  assert.deepEqual(read('[1]'), ['/c.yaml: the document must be an object of settings']);
  assert.deepEqual(read(''), []);
});

test('the schema and the reference page name every setting', () => {
  const schema = configJsonSchema() as { properties: Record<string, { properties?: object }> };
  for (const { path, description, reason, flag, env } of settingRows()) {
    const [top, below] = path.split('.');
    assert.ok(top! in schema.properties, path);
    if (below !== undefined) assert.ok(below in schema.properties[top!]!.properties!, path);
    assert.ok(description !== '' && reason !== '', `${path} has a description and a reason`);
    assert.ok(/^--[a-z-]+$/.test(flag) && /^HOLDFAST_[A-Z_]+$/.test(env));
  }
  assert.ok(!('required' in schema));
});

test('gossip that other machines can reach wants keys, or a word that it does without', () => {
  const of = (flags: Record<string, string>) =>
    problemsOf(() => compileConfig({ flags: { 'node.id': 'n1', ...flags }, cwd }));
  for (const host of ['10.0.0.11', '0.0.0.0', '[::]']) {
    const self = host === '[::]' ? '[fd00::11]' : '10.0.0.11';
    const beyond = { 'listen.gossip': `${host}:7401`, 'cluster.peers': `n1=${self}:7400/${self}:7401` };
    const problems = of(beyond);
    assert.equal(problems.length, 1);
    assert.match(problems[0]!, /^gossip\.keys: missing, .*openssl rand.*gossip\.seal: none$/);
    assert.deepEqual(of({ ...beyond, 'gossip.keys': 'keys' }), []);
    assert.deepEqual(of({ ...beyond, 'gossip.seal': 'none' }), []);
  }
  assert.match(
    of({ 'gossip.keys': 'keys', 'gossip.seal': 'none' })[0]!,
    /^gossip\.seal: "none": no gossip\.keys with it/,
  );
  assert.deepEqual(of({ 'listen.gossip': '[::1]:7401' }), []);
});

test('who listens on all addresses needs one in cluster.peers that others can call', () => {
  const of = (listen: string, flags: Record<string, string>) => {
    const all = {
      'listen.control': `${listen}:7400`,
      'listen.shards': `${listen}:0`,
      'listen.gossip': `${listen}:7401`,
    };
    const given = { 'node.id': 'n1', 'gossip.seal': 'none', ...all, ...flags };
    return problemsOf(() => compileConfig({ flags: given, cwd })).map((line) => line.slice(0, line.indexOf(':')));
  };
  const peers = (host: string, n2 = '10.0.0.12') => ({
    'cluster.peers': `n1=${host}:7400/${host}:7401,n2=${n2}:7400/${n2}:7401`,
  });
  const all = ['listen.control', 'listen.shards', 'listen.gossip'];
  for (const wildcard of ['0.0.0.0', '[::]', '[0:0:0:0:0:0:0:0]', '[::ffff:0.0.0.0]']) {
    assert.deepEqual(of(wildcard, {}), all, wildcard);
    assert.deepEqual(of(wildcard, peers(wildcard)), all, wildcard);
    assert.deepEqual(of(wildcard, peers('node-1.example')), [], wildcard);
  }
  assert.deepEqual(of('0.0.0.0', peers('10.0.0.11')), []);
  assert.deepEqual(of('[::]', peers('10.0.0.11')), ['listen.gossip'], 'datagrams of one family');
  assert.deepEqual(of('10.0.0.11', peers('10.0.0.11', '0.0.0.0')), ['cluster.peers']);
  assert.deepEqual(of('localhost', {}), ['listen.gossip'], 'a name, which gossip cannot listen on');
});

test('what Kubernetes says of a Service of this name is no setting; a typo still is one', () => {
  const service = {
    HOLDFAST_SERVICE_HOST: '10.96.0.10',
    HOLDFAST_SERVICE_PORT: '7400',
    HOLDFAST_SERVICE_PORT_CONTROL: '7400',
    HOLDFAST_PORT: 'tcp://10.96.0.10:7400',
    HOLDFAST_PORT_7400_TCP: 'tcp://10.96.0.10:7400',
    HOLDFAST_PORT_7400_TCP_PROTO: 'tcp',
    HOLDFAST_PORT_7400_TCP_PORT: '7400',
    HOLDFAST_PORT_7400_TCP_ADDR: '10.96.0.10',
    HOLDFAST_ADMIN_PORT: 'tcp://10.96.0.11:7400',
  };
  const of = (env: Record<string, string>) => problemsOf(() => compileConfig({ flags: { 'node.id': 'n1' }, env, cwd }));
  assert.deepEqual(of(service), []);
  const typos = of({ HOLDFAST_PORT: '7400', HOLDFAST_LISTEN_PORT: '7400' });
  assert.deepEqual(
    typos.map((line) => line.slice(0, line.indexOf(':'))),
    ['HOLDFAST_PORT', 'HOLDFAST_LISTEN_PORT'],
  );
});

test('a port that nobody can call, a host that is none, where others are to be called', () => {
  const of = (flags: Record<string, string>) =>
    problemsOf(() => compileConfig({ flags: { 'node.id': 'n1', ...flags }, cwd }));
  const n1 = 'n1=127.0.0.1:7400/127.0.0.1:7401';
  const called = 'a host name or IP address, and a port above 0, as the others reach it';
  assert.deepEqual(of({ 'cluster.peers': `${n1},n2=a:0/b_:7` }), [
    `cluster.peers[1].address: "a:0" (--cluster-peers): ${called}`,
    `cluster.peers[1].gossip: "b_:7" (--cluster-peers): ${called}`,
  ]);
  assert.deepEqual(of({ 'cluster.peers': `${n1},n2=[fd00::2]:7400/n2.example:7401` }), []);
  assert.match(of({ 'listen.control': '127.0.0.1:07400' })[0]!, /^listen\.control: .*: host:port, such as/);
  assert.deepEqual(of({ 'log.kind': 'kafka', 'kafka.brokers': 'k_1:9092,k:0' }), [
    'kafka.brokers[1]: "k:0" (--kafka-brokers): a port above 0',
  ]);
  const sentinels = { 'store.kind': 'redis', 'redis.sentinels': 's:0', 'redis.sentinelName': 'main' };
  assert.match(of(sentinels)[0]!, /^redis\.sentinels\[0\]: "s:0" .*: a port above 0$/);
  assert.match(of({ 'store.kind': 'redis', 'redis.url': 'redis://r:0' })[0]!, /^redis\.url: /);
});

test('one port for two who listen, where all addresses have each one among them', () => {
  const of = (http: string, control: string, shards: string) => {
    const listen = { 'listen.http': http, 'listen.control': control, 'listen.shards': shards };
    const given = { 'node.id': 'n1', shards: '4', 'cluster.peers': 'n1=10.0.0.11:7400/127.0.0.1:7401', ...listen };
    return problemsOf(() => compileConfig({ flags: given, cwd })).map((line) => line.slice(0, line.indexOf(':')));
  };
  assert.deepEqual(of('127.0.0.1:7400', '0.0.0.0:7400', '127.0.0.1:0'), ['listen.http']);
  assert.deepEqual(of('[::]:7400', '10.0.0.11:7400', '127.0.0.1:0'), ['listen.http']);
  assert.deepEqual(of('[::1]:7400', '0.0.0.0:7400', '127.0.0.1:0'), []);
  assert.deepEqual(of('127.0.0.1:7402', '10.0.0.11:7400', '0.0.0.0:7399'), ['listen.http', 'listen.control']);
  assert.deepEqual(of('127.0.0.1:7402', '10.0.0.11:7400', '10.0.0.11:7401'), []);
});

test('names of jobs and mappings that are neither built in nor files', () => {
  const of = (job: string) => {
    const file = { path: '/c.yaml', text: `node: {id: n1}\njob: ${job}` };
    return problemsOf(() => compileConfig({ files: [file], cwd }));
  };
  assert.deepEqual(of('{name: acess-anomaly, mapping: ngnix, start: soon}'), [
    'job.start: "soon" (/c.yaml): earliest, latest, or a time such as 2026-01-31T00:00:00Z',
    `job.name: "acess-anomaly" (/c.yaml): known are access-anomaly, or give a module's path; did you mean access-anomaly?`,
    'job.mapping: "ngnix" (/c.yaml): known are holdfast, nginx, ecs, or give a .yaml or .json file; did you mean nginx?',
  ]);
  assert.deepEqual(of('{mapping: m.yaml}'), []);
  assert.deepEqual(of('{name: ./job.ts, mapping: none of its own}'), []);
  assert.deepEqual(of('{name: ""}'), ['job.name: "" (/c.yaml): a text']);
  for (const start of ['2026-02-30T00:00:00Z', '2026-01-31T00:00Z', '7', '[]']) {
    const [problem, ...more] = of(`{start: ${start}}`);
    assert.match(problem!, /^job\.start: .*: earliest, latest, or a time such as/);
    assert.deepEqual(more, []);
  }
  assert.deepEqual(of('{start: 2026-01-31T00:00:00+02:00}'), []);
});

test('durations and sizes that nothing could run with', () => {
  const huge = '9'.repeat(400);
  const given = {
    node: { id: 'n1' },
    log: { kind: 'kafka' },
    kafka: {
      brokers: ['k:1'],
      retention: '0s',
      deadLetterRetention: '0.1ms',
      retryTime: '0s',
      decompressedBytesMax: '2GiB',
    },
    session: { ttl: '3ms', renew: '1ms', stop: '2ms' },
    backup: { interval: `${huge}d` },
    drain: { deadline: '25d' },
    limits: { fetchBytes: '4GiB', parkedBytes: `${huge}B` },
  };
  const file = { path: '/c.json', text: JSON.stringify(given) };
  const problems = problemsOf(() => compileConfig({ files: [file], cwd }));
  const shown = problems.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.lastIndexOf(': ') + 2)]);
  assert.deepEqual(shown, [
    ['backup.interval', 'from 100ms to 24d'],
    ['session.ttl', 'from 300ms to 1d'],
    ['session.renew', 'from 100ms to 1d'],
    ['session.stop', 'from 100ms to 1d'],
    ['drain.deadline', 'from 1s to 24d'],
    ['kafka.retryTime', 'from 1ms to 24d'],
    ['kafka.retention', 'from 1s to 36500d'],
    ['kafka.deadLetterRetention', 'from 1s to 36500d'],
    ['limits.parkedBytes', 'from 1KiB to 64GiB'],
    ['limits.fetchBytes', 'from 1KiB to 1GiB'],
    ['kafka.decompressedBytesMax', 'from 1B to 1GiB'],
  ]);
});

test('every duration and size has bounds', () => {
  const { origins } = compileConfig({ flags: { 'node.id': 'n1' }, cwd });
  const measured = origins.filter(
    ({ value }) => typeof value === 'string' && (durationMs(value) ?? sizeBytes(value)) !== null,
  );
  assert.ok(measured.length > 10);
  for (const { path, value } of measured) {
    const most = durationMs(value as string) === null ? '999999GiB' : '999999d';
    const problems = problemsOf(() => compileConfig({ flags: { 'node.id': 'n1', [path]: most }, cwd }));
    assert.ok(
      problems.some((line) => line.startsWith(`${path}: "${most}" `) && / from \S+ to \S+$/.test(line)),
      path,
    );
  }
});
