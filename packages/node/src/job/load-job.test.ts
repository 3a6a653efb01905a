import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { compileConfig } from '../config/compile-config.ts';
import { JobLoadError } from './job-load-error.ts';
import { loadJob } from './load-job.ts';
import { loadMapping } from './load-mapping.ts';

const dir = mkdtempSync(join(tmpdir(), 'holdfast-job-'));
after(() => rmSync(dir, { recursive: true, force: true }));

const file = (name: string, text: string) => {
  const path = join(dir, name);
  writeFileSync(path, text);
  return path;
};
const refusal = (code: string, text: RegExp) => (error: unknown) =>
  error instanceof JobLoadError && error.code === code && text.test(error.message);

test('a job reads the topic that it names, unless the configuration names another', async () => {
  const sdk = import.meta.resolve('@holdfast/sdk');
  const source = `import { defineProcessor } from ${JSON.stringify(sdk)};
    const input = (topic) => ({ topic, parse: () => null, key: () => 'k' });
    export default defineProcessor({ name: 'own', version: '1', input: { orders: input('orders'), returns: input('returns') },
      state: { version: 1, initial: () => ({}), idle: '1d' }, onEvent: { orders() {}, returns() {} } });`;
  const name = file('own.mjs', source);
  const inputs = async (job: Record<string, string>) => {
    const flags = Object.fromEntries(Object.entries(job).map(([name, value]) => [`job.${name}`, value]));
    return (await loadJob(compileConfig({ flags: { 'node.id': 'n1', ...flags }, cwd: dir }).config.job)).inputs;
  };
  assert.deepEqual(await inputs({ name }), ['orders', 'returns']);
  assert.deepEqual(await inputs({ name, input: 'elsewhere' }), ['elsewhere', 'returns']);
  assert.deepEqual(await inputs({}), ['access-log']);
});

test('the built-in job reads the configured topic', async () => {
  const job = await loadJob({ name: 'access-anomaly', inputTopic: 'elsewhere', mapping: 'nginx' });
  assert.equal(job.name, 'access-anomaly');
  assert.deepEqual(job.inputs, ['elsewhere']);
});

test('an unknown mapping names the known ones, a missing or wrong file says so', () => {
  assert.throws(
    () => loadMapping('ngix'),
    refusal('UNKNOWN_MAPPING', /^unknown mapping ngix: known are holdfast, nginx, ecs.*did you mean nginx\?$/),
  );
  assert.throws(() => loadMapping(join(dir, 'no.yaml')), refusal('BAD_MAPPING', /there is no such file/));
  assert.throws(
    () => loadMapping(file('bad.yaml', 'name: x\nfelds: {}')),
    refusal('BAD_MAPPING', /did you mean fields/),
  );
  assert.equal(loadMapping(file('own.yaml', 'name: own\nfields: {user: account.id}')).name, 'own');
});

test('a job that is no module, or no processor, is refused in one line', async () => {
  const load = (name: string) => loadJob({ name, inputTopic: 't', mapping: 'holdfast' });
  await assert.rejects(load('acess-anomaly'), refusal('UNKNOWN_JOB', /did you mean access-anomaly/));
  await assert.rejects(load(join(dir, 'none.mjs')), refusal('BAD_JOB', /can't be loaded/));
  await assert.rejects(load(file('empty.mjs', 'export default 3;')), refusal('BAD_JOB', /no default export/));
});
