import { encodeUtf8, formatUnit, hashUnit, type Rng, randomBelow, unitHashOut } from '@holdfast/model';
import type { SimulatedUser } from '@holdfast/testkit';
import { usualSession } from '../harness/chaos-cluster.ts';
import type { Scenario } from '../harness/scenario.ts';
import { sameSessions } from './same-sessions.ts';

const users = 2 ** 17;

/** Digits that an engine may take for an index: all multiples of 2^12, so that the low bits of their hashes are the same. */
function drawIndexLike(rng: Rng, count: number): SimulatedUser[] {
  const first = randomBelow(rng, 1_000);
  return Array.from({ length: count }, (_, index) => {
    const key = encodeUtf8(`${(first + index) * 4_096}`);
    hashUnit(key, 0, key.length);
    const unit = { hi: unitHashOut.hi, lo: unitHashOut.lo };
    return { index, key, hex: Buffer.from(key).toString('hex'), unit, unitKey: formatUnit(unit.hi, unit.lo) };
  });
}

export const collidingIds: Scenario = {
  faults: ['F41'],
  title: '131,072 users whose ids look like indices and collide',
  injects: 'one record for each of 2^17 ids that are multiples of 4,096 in digits, as fast as they go; then once more',
  holds:
    "I21: memory under its cap, and no session ends for it (standstillMsMost: of a shard's thread); I5: every state",
  needs: [],
  deadlineMs: 280_000,
  settleMs: 150_000,
  check: 'states',
  mustSee: ['levelsLooks'],
  rssBytesMax: 2 ** 30,
  cluster: { settings: { session: usualSession, backup: { interval: '5s' } } },
  workload: { users, draw: drawIndexLike, recordsPerSec: 200, zipfExponent: 0 },
  async inject({ cluster, workload, say }) {
    const before = await cluster.whole();
    say(`${users} users, a record each`);
    await workload.oneEach();
    await cluster.inStatus(
      'most users to be held',
      ({ nodes }) => nodes.reduce((sum, { leases }) => sum + (leases.count ?? 0), 0) >= users * 0.99,
      120_000,
    );
    const after = await cluster.whole();
    sameSessions(before, after);
  },
};
