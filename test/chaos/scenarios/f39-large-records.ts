import { pause } from '../../cluster/support/wait.ts';
import { usualSession } from '../harness/chaos-cluster.ts';
import type { Judgement, Scenario } from '../harness/scenario.ts';
import { callsOf, type History } from '../history/read-history.ts';

const mebibyte = 2 ** 20;
/** Records of more than 3 MiB don't count, however right they are. */
const sizes: readonly { readonly mebibytes: number; readonly counts: boolean }[] = [
  { mebibytes: 1, counts: true },
  { mebibytes: 10, counts: false },
  { mebibytes: 2.9, counts: true },
  { mebibytes: 64, counts: false },
];

export const largeRecords: Scenario = {
  faults: ['F39'],
  title: 'records of 1, 2.9, 10 and 64 MiB',
  injects:
    'records of 1 and 2.9 MiB that count (3 MiB is the most that does), and whole ones of 10 and 64 MiB, amid the stream',
  holds:
    'I21: memory stays under its cap, and the two that are larger than any may be become dead letters for that; I5, I8',
  needs: [],
  cluster: { settings: { session: usualSession } },
  deadlineMs: 200_000,
  settleMs: 120_000,
  rssBytesMax: 1_536 * mebibyte,
  mustSee: ['tooLarge'],
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
  judge: (history) => tooLarge(history),
};

/** Dead letters for the size of their records, each counted once however often it was written. */
function tooLarge(history: History): Judgement {
  const letters = callsOf(history, 'append').flatMap(({ asked, done }) => (done === null ? [] : asked.records));
  const ids = new Set(letters.filter(([, , reason]) => reason === 'too-large').map(([id]) => id));
  const expected = sizes.filter(({ counts }) => !counts).length;
  const violations =
    ids.size === expected ? [] : [`${ids.size} records are dead for their size, ${expected} were too large`];
  return { violations, seen: { tooLarge: ids.size } };
}
