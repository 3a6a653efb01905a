import { findLocation } from '../aggregate/locations.ts';
import type { UserState } from '../aggregate/user-state.ts';
import type { Login } from '../mapping/login.ts';
import { isLate, profileState } from './profile.ts';
import type { Reason, Score, Scorer } from './scorer.ts';
import { travelOf } from './travel.ts';

/** A new value of a dimension gives ln((N + β) / β). */
const newValueBeta = 5;
const newCityAfter = 10;

function placeName(city: string | null, country: string | null): string {
  if (city === null) return country ?? 'unknown place';
  return country === null ? city : `${city} (${country})`;
}

/** A place where all records were ahead of their arrival is counted, but nothing was learned of it. */
function isOwnCity({ locations }: UserState, login: Login): boolean {
  const row = findLocation(locations, login.city, login.country);
  return row >= 0 && locations.successes[row]! > 0 && locations.lastSeen[row] !== null;
}

/** Text of a gap between two logins. */
function gapText(ms: number): string {
  const minutes = Math.round(ms / 60_000);
  if (minutes < 1) return `${Math.round(ms / 1000)} s`;
  return minutes < 120 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
}

/**
 * Two rules with clear gates: a city that is new after ten successes with known cities (medium), and travel faster
 * than anything flies (high). Only successes are judged here; bursts of failures have their own rule.
 */
export class GateScorer implements Scorer {
  readonly model = 'gates-1';

  score(state: UserState, login: Login): Score {
    const profile = state.profile;
    const ready = profileState(profile, login.timeUnixMs);
    const none = {
      bias: 0,
      score: 0,
      oneIn: null,
      reasons: [],
      distanceKm: null,
      previous: null,
      state: ready,
    } as const;
    const isBelieved = !login.flags.includes('future_time') && !isLate(profile, login.timeUnixMs);
    // Whatever isn't learned isn't judged either, or it would be new each time.
    if (login.outcome !== 'success' || !isBelieved || profile.learned === 0) {
      return { ...none, level: 'unscored' };
    }
    const reasons: Reason[] = [];
    const own = isOwnCity(state, login);
    const travel = travelOf(profile.places, login);
    const places = profile.places;
    const impossible = travel !== null && travel.value > 0 && ready === 'ready' && !own;
    if (impossible) {
      const from = placeName(places.city[travel.place]!, places.country[travel.place]!);
      const gap = gapText(Math.abs(login.timeUnixMs - places.time[travel.place]!));
      const text = `${Math.round(travel.distanceKm)} km from ${from} in ${gap}`;
      reasons.push({ signal: 'impossible_travel', contribution: travel.value, text });
    }
    if (login.city !== null && !own && profile.learnedWithCity >= newCityAfter) {
      const contribution = Math.log((profile.learnedWithCity + newValueBeta) / newValueBeta);
      const text = `${placeName(login.city, login.country)}, new after ${profile.learnedWithCity} logins`;
      reasons.push({ signal: 'new_city', contribution, text });
    }
    const level = impossible ? 'high' : reasons.length > 0 ? 'medium' : 'none';
    return {
      ...none,
      level,
      reasons,
      score: reasons.reduce((sum, reason) => sum + reason.contribution, 0),
      distanceKm: travel === null ? null : travel.distanceKm,
      previous: travel === null ? null : { timeUnixMs: places.time[travel.place]!, city: places.city[travel.place]! },
    };
  }
}
