import { pause } from '../../cluster/support/wait.ts';
import { usualSession } from '../harness/chaos-cluster.ts';
import type { Scenario } from '../harness/scenario.ts';
import { deadFor } from './dead-for.ts';

const mebibyte = 2 ** 20;
/** Records of more than 3 MiB don't count, however right they are. */
const sizes: readonly { readonly mebibytes: number; readonly counts: boolean }[] = [
  { mebibytes: 1, counts: true },
  { mebibytes: 10, counts: false },
  { mebibytes: 2.9, counts: true },
  { mebibytes: 100, counts: false },
];

export const largeRecords: Scenario = {
  faults: ['F39'],
  title: 'records of 1, 2.9, 10 and 100 MiB',
  injects:
    'records of 1 and 2.9 MiB that count (3 MiB is the most that does), and whole ones of 10 and 100 MiB, amid the stream',
  holds:
    'I21: memory stays under its cap, and the two that are larger than any may be become dead letters for that; I5, I8',
  needs: [],
  cluster: { settings: { session: usualSession } },
  deadlineMs: 200_000,
  settleMs: 120_000,
  rssBytesMax: 1_536 * mebibyte,
  mustSee: ['too-large'],
  async inject({ workload, say, saw }) {
    for (const { mebibytes, counts } of sizes) {
      const bytes = Math.floor(mebibytes * mebibyte);
      say(`a record of ${mebibytes} MiB`);
      if (counts) await workload.one('r', bytes);
      else await workload.oneTooLarge(bytes);
      saw('largeRecords');
      await pause(2_000);
    }
  },
  judge: (history) => deadFor(history, 'too-large', sizes.filter(({ counts }) => !counts).length),
};
