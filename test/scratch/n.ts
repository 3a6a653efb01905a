import { compileConfig, runNode } from '@holdfast/node';
const [id, dir] = process.argv.slice(2);
const i = Number(id!.slice(1));
const base = 17400;
const peers = [1, 2, 3].map((n) => ({ id: `n${n}`, address: `127.0.0.1:${base + n}`, gossip: `127.0.0.1:${base + 10 + n}` }));
const { config } = compileConfig({
  cwd: process.cwd(),
  flags: { 'node.id': id!, data: dir!, 'listen.control': `127.0.0.1:${base + i}`, 'listen.gossip': `127.0.0.1:${base + 10 + i}`, 'listen.shards': '127.0.0.1:0', 'listen.http': 'off', shards: '1', 'backup.interval': '3s' },
 files: [{ name: 'x.json', path: 'x.json', text: JSON.stringify({ cluster: { peers } }) } as never],
});
const node = await runNode(config);
process.on('SIGTERM', () => node.stop());
console.error(await node.ended);
process.exit(0);
