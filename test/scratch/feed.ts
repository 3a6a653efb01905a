import { LmdbLog, openDataFolder } from '@holdfast/embedded';
import { LogGenerator } from '@holdfast/access-anomaly';
const [dir, n] = process.argv.slice(2);
const o = openDataFolder(dir!, Date.now()); if (o.code !== 'OK') throw new Error(o.text);
const log = LmdbLog.open(o.folder.logPath, { monotonicMs: () => performance.now(), wallUnixMs: () => Date.now() });
await log.createTopic('access-log', 4);
const g = new LogGenerator({ seed: 1, users: 5000, startUnixMs: 1.7e12, anomalies: 50, records: Number(n) } as never) as never as { next(): { line: Uint8Array } };
let p = 0; const t = performance.now();
for (let i = 0; i < Number(n); ) {
  const recs = [];
  for (let k = 0; k < 500 && i < Number(n); k++, i++) recs.push({ key: null, value: g.next().line.slice() });
  await log.append('access-log', p++ % 4, recs);
}
console.log('fed', n, performance.now() - t);
for (;;) {
  const info = (await log.describe('access-log'))!; const ends = await log.endOffsets('access-log');
  const c = await Promise.all(ends.map((_, q) => log.committed('access-anomaly', { topicId: info.topicId, partition: q })));
  console.log(ends.join(), c.map((x) => x?.offset).join());
  if (c.every((x, q) => x?.offset === ends[q])) break;
  await new Promise((r) => setTimeout(r, 1000));
}
await log.close(); process.exit(0)
