import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { silentLogger } from '@holdfast/model';
import { compileConfig } from '../../config/compile-config.ts';
import { NodeTimers } from '../node-timers.ts';
import { openKafka } from './open-kafka.ts';
import type { ServiceEnvironment } from './until-reached.ts';

const dir = mkdtempSync(join(tmpdir(), 'holdfast-open-kafka-'));
after(() => rmSync(dir, { recursive: true, force: true }));

/** Nobody listens on port 1. */
function open(environment: Partial<ServiceEnvironment>) {
  const settings = 'sasl: PLAIN, username: u, passwordFile: password, connectDeadline: 1s';
  const text = `node: {id: n1}\nlog: {kind: kafka}\nkafka: {brokers: ["127.0.0.1:1"], ${settings}}`;
  const { log } = compileConfig({ files: [{ path: join(dir, 'c.yaml'), text }], cwd: dir }).config;
  assert.ok(log.kind === 'kafka');
  return openKafka(log, { timers: new NodeTimers(), logger: silentLogger, ...environment });
}

test('a password that can not be read ends a start at once; a shard that opens the log again waits until it can', async () => {
  await assert.rejects(open({}), { code: 'FILE_UNREADABLE' });
  const stop = new AbortController();
  const reasons: string[] = [];
  const onWaiting = (what: string | null) => {
    if (what === null) return;
    reasons.push(what);
    if (reasons.length === 1) writeFileSync(join(dir, 'password'), 'hush');
    else stop.abort();
  };
  await assert.rejects(open({ isPatient: true, onWaiting, stop: stop.signal }), { code: 'START_INTERRUPTED' });
  assert.match(reasons[0]!, /kafka\.passwordFile: .*password can't be read: there is no such file/);
  assert.match(reasons[1]!, /ECONNREFUSED/);
});
