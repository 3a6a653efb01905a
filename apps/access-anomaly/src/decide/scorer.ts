import type { UserState } from '../aggregate/user-state.ts';
import type { Login } from '../mapping/login.ts';

export type Signal = 'new_city' | 'impossible_travel' | 'burst';

/** One term of the score, with its sign; `text` is for people. */
export interface Reason {
  readonly signal: Signal;
  readonly contribution: number;
  readonly text: string;
}

export interface Score {
  /** Bias + Σ contributions = score. */
  readonly bias: number;
  readonly score: number;
  /** As unusual as one in so many honest logins; null while no model is fitted to say so. */
  readonly oneIn: number | null;
  readonly level: 'none' | 'medium' | 'high' | 'unscored';
  readonly state: 'learning' | 'ready';
  readonly reasons: readonly Reason[];
  readonly distanceKm: number | null;
  readonly previous: { readonly timeUnixMs: number; readonly city: string } | null;
}

/**
 * The place where a better score goes: it reads the state of before the login, and changes nothing.
 * Deterministic: the same state and login give the same score.
 */
export interface Scorer {
  /** Version of rules and weights, named in each anomaly event. */
  readonly model: string;
  score(state: UserState, login: Login): Score;
}
