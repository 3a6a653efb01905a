import type { Rng } from '@holdfast/model';
import { drawUsers, type SimulatedUser } from '@holdfast/testkit';
import { pause } from '../../cluster/support/wait.ts';
import type { Scenario } from '../harness/scenario.ts';

/** Users that share a unit, by twos. */
const paired = 16;

/** All hostile keys of the simulator, pairs of one unit, and for the rest plain ones: of forty that it draws, few are hostile. */
export function drawHostile(rng: Rng, count: number): SimulatedUser[] {
  const many = drawUsers(rng, 50 * count);
  const units = new Map<string, number>();
  for (const { unitKey } of many) units.set(unitKey, (units.get(unitKey) ?? 0) + 1);
  const isPlain = ({ key }: SimulatedUser): boolean => Buffer.from(key).toString('latin1').startsWith('user-');
  const pairs = many.filter(({ unitKey }) => units.get(unitKey)! > 1).slice(0, paired);
  // The last one may be the half of a pair, whose keys have 16 bytes.
  const hostile = many.filter((user) => !isPlain(user) && units.get(user.unitKey) === 1 && user.key.length !== 16);
  return [...hostile, ...pairs, ...many.filter(isPlain)].slice(0, count).map((user, index) => ({ ...user, index }));
}

export const hostileIds: Scenario = {
  faults: ['F40'],
  title: 'users whose keys have confused programs before',
  injects:
    'forty users alone: __proto__, the empty key, NULs, half surrogates, a letter in two forms, 10 and 010, pairs of one unit; two nodes are killed',
  holds: 'I9: distinct bytes never share a state and survive every round trip',
  needs: [],
  deadlineMs: 120_000,
  workload: { users: 40, draw: drawHostile, zipfExponent: 0.1 },
  mustSee: ['usersSharing'],
  async inject({ cluster, say, saw }) {
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
