import { drawHostileUsers } from '@holdfast/testkit';
import { pause } from '../../cluster/support/wait.ts';
import type { Scenario } from '../harness/scenario.ts';
import { deadFor } from './dead-for.ts';

/** 1,024 are the most; the record's format takes no longer one than the last. */
const keysTooLongBytes = [1_025, 4_096, 65_535];

export const hostileIds: Scenario = {
  faults: ['F40'],
  title: 'users whose keys have confused programs before',
  injects:
    'forty users alone: __proto__, the empty key, NULs, half surrogates, a letter in two forms, 10 and 010, pairs of one unit; keys that are longer than any may be; two nodes are killed',
  holds: 'I9: distinct bytes never share a state and survive every round trip',
  needs: [],
  deadlineMs: 120_000,
  workload: { users: 40, draw: drawHostileUsers, zipfExponent: 0.1 },
  mustSee: ['usersSharing', 'key-too-long'],
  judge: (history) => deadFor(history, 'key-too-long', keysTooLongBytes.length),
  async inject({ cluster, workload, say, saw }) {
    for (const bytes of keysTooLongBytes) await workload.oneKeyTooLong(bytes);
    for (let round = 0; round < 2; round++) {
      await pause(4_000);
      const node = await cluster.holder(3);
      say(`kill -9 ${node.id}`);
      await node.signal('SIGKILL');
      node.start();
      await cluster.whole();
      saw('kills');
    }
  },
};
