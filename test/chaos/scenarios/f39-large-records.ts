import { pause } from '../../cluster/support/wait.ts';
import type { Scenario } from '../harness/scenario.ts';

const mebibyte = 2 ** 20;

export const largeRecords: Scenario = {
  faults: ['F39'],
  title: 'records of 1, 2.9, 10 and 64 MiB',
  injects:
    'records of 1 and 2.9 MiB that count (3 MiB is the most that does), and broken ones of 10 and 64 MiB, amid the stream',
  holds: 'I21: memory stays under its cap, and the large broken ones become dead letters; I5, I8',
  needs: [],
  deadlineMs: 200_000,
  settleMs: 120_000,
  rssBytesMax: 1_536 * mebibyte,
  mustSee: ['deadLetters'],
  async inject({ workload, say, saw }) {
    for (const [kind, size] of [
      ['r', 1],
      ['?', 10],
      ['r', 2.9],
      ['?', 64],
    ] as const) {
      say(`a record of ${size} MiB${kind === '?' ? ', broken' : ''}`);
      await workload.one(kind, Math.floor(size * mebibyte));
      saw('largeRecords');
      await pause(2_000);
    }
  },
};
