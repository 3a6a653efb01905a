import { formatIsoTime } from '../iso-time.ts';
import type { Login } from '../mapping/login.ts';
import type { Reason, Score } from './scorer.ts';

/** What subscribers of the anomaly topic get, as JSON. `id` is the same at every replay of the record. */
export interface AnomalyEvent {
  id: string;
  schema: 'holdfast/anomaly/v1';
  user: string;
  time: string;
  outcome: string;
  score: number;
  oneIn: number | null;
  level: 'none' | 'medium' | 'high' | 'unscored';
  state: 'learning' | 'ready';
  /** Largest contribution first. */
  reasons: { signal: string; contribution: number; text: string }[];
  evidence: {
    network: string | null;
    asn: number | null;
    country: string | null;
    city: string | null;
    device: string | null;
    /** The user's successes before this record. */
    successes: number;
    previous: { time: string; city: string } | null;
    distanceKm: number | null;
    /** Size of the population compared with; null while none is kept. */
    population: number | null;
    model: string;
    flags: string[];
  };
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}

export function anomalyEvent(
  id: string,
  login: Login,
  score: Score,
  level: AnomalyEvent['level'],
  reasons: readonly Reason[],
  successes: number,
  model: string,
): AnomalyEvent {
  const ranked = [...reasons].sort((a, b) => b.contribution - a.contribution);
  const told = ranked.map((reason) => ({ ...reason, contribution: rounded(reason.contribution) }));
  const { previous } = score;
  return {
    id,
    schema: 'holdfast/anomaly/v1',
    user: login.user,
    time: formatIsoTime(login.timeUnixMs),
    outcome: login.outcome,
    // The sum of what is told, so that a reader can check it.
    score: rounded(told.reduce((sum, reason) => sum + reason.contribution, score.bias)),
    oneIn: score.oneIn,
    level,
    state: score.state,
    reasons: told,
    evidence: {
      network: login.network,
      asn: login.asn,
      country: login.country,
      city: login.city,
      device: login.device,
      successes,
      previous: previous === null ? null : { time: formatIsoTime(previous.timeUnixMs), city: previous.city },
      distanceKm: score.distanceKm === null ? null : Math.round(score.distanceKm),
      population: null,
      model,
      flags: [...login.flags],
    },
  };
}
