import type { Judgement } from '../harness/scenario.ts';
import { callsOf, type History } from '../history/read-history.ts';

/** Dead letters for a reason, each counted once however often it was written: there have to be exactly so many. */
export function deadFor(history: History, reason: string, expected: number): Judgement {
  const letters = callsOf(history, 'append').flatMap(({ asked, done }) => (done === null ? [] : asked.records));
  const ids = new Set(letters.filter(([, , why]) => why === reason).map(([id]) => id));
  const violations =
    ids.size === expected ? [] : [`${ids.size} records are dead letters for "${reason}", ${expected} should be`];
  return { violations, seen: { [reason]: ids.size } };
}
