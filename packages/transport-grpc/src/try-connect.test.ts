import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { tryConnect } from './try-connect.ts';

const listen = `
  const server = require('node:net').createServer().listen(0, '127.0.0.1', () => console.log(server.address().port));
`;

test('a stopped process is let in by its host; a killed one is refused', async () => {
  const child = spawn(process.execPath, ['-e', listen], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    const [port] = (await once(child.stdout, 'data')) as [Buffer];
    const address = `127.0.0.1:${String(port).trim()}`;
    assert.equal(await tryConnect(address, 5_000), 'accepted');
    child.kill('SIGSTOP');
    for (let i = 0; i < 30; i++) assert.equal(await tryConnect(address, 5_000), 'accepted');
    child.kill('SIGKILL');
    await once(child, 'exit');
    assert.equal(await tryConnect(address, 5_000), 'refused');
    assert.equal(await tryConnect(`[::ffff:127.0.0.1]:${address.split(':')[1]}`, 5_000), 'refused');
  } finally {
    child.kill('SIGKILL');
  }
});

test('what is no refusal is unknown', async () => {
  assert.equal(await tryConnect('nobody.invalid:80', 2_000), 'unknown');
  for (const address of ['', 'localhost', '127.0.0.1:', '127.0.0.1:70000', 'in:memory']) {
    assert.equal(await tryConnect(address, 2_000), 'unknown');
  }
});
