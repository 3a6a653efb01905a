import type { Figure } from '../run.ts';

/** What a figure has to be: at most, or at least, so much. */
export interface Target {
  readonly atMost?: number;
  readonly atLeast?: number;
}

/** By the figure's name. Figures without one are there to be read beside the others. */
export const targets: Readonly<Record<string, Target>> = {
  'grants/rate': { atLeast: 100_000 },
  'latency/p50': { atMost: 5 },
  'latency/p99': { atMost: 20 },
  'table/bytes-per-unit': { atMost: 40 },
  'snapshot/loop-stop': { atMost: 50 },
  'restore/loop-stop': { atMost: 50 },
  'leader-change/leases-changed': { atMost: 0 },
  'full-table/over': { atMost: 0 },
  'full-table/oldest-held': { atMost: 0 },
  'dead-node/new-holders': { atMost: 3_000 },
  'dead-node/loop-stop': { atMost: 50 },
  // The end of a session stalls nobody: a new user may wait behind the units that are asked for again, and no longer than
  // one does while a node goes on draining.
  'dead-node/latency-meanwhile': { atMost: 500 },
};

export function isMet({ name, value }: Figure): boolean | null {
  const target = targets[name];
  if (target === undefined) return null;
  return value <= (target.atMost ?? Number.POSITIVE_INFINITY) && value >= (target.atLeast ?? Number.NEGATIVE_INFINITY);
}

function wanted({ atMost, atLeast }: Target): string {
  return atMost === undefined ? `>= ${atLeast}` : `<= ${atMost}`;
}

/** Figure, value, what it has to be, and whether it is. */
export function targetTable(figures: readonly Figure[]): string {
  const rows = figures.map((figure) => {
    const target = targets[figure.name];
    const verdict = target === undefined ? '' : `${wanted(target).padEnd(12)}${isMet(figure) ? 'met' : 'NOT MET'}`;
    const value = Number.isInteger(figure.value) ? String(figure.value) : figure.value.toPrecision(4);
    return `${figure.name.padEnd(34)} ${value.padStart(10)} ${figure.unit.padEnd(28)} ${verdict}`.trimEnd();
  });
  return rows.join('\n');
}
