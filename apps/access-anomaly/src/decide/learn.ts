import { insertBounded } from '../aggregate/columns.ts';
import type { Login } from '../mapping/login.ts';
import { type Places, type Profile, placesMax } from './profile.ts';
import { isComparable, travelLimits } from './travel.ts';

function addPlace(places: Places, login: Login): void {
  let i = places.time.length;
  while (i > 0 && places.time[i - 1]! < login.timeUnixMs) i--;
  if (i >= placesMax) return;
  places.time = insertBounded(places.time, i, login.timeUnixMs, placesMax);
  places.lat = insertBounded(places.lat, i, login.lat!, placesMax);
  places.lon = insertBounded(places.lon, i, login.lon!, placesMax);
  places.radiusKm = insertBounded(places.radiusKm, i, login.radiusKm ?? travelLimits.radiusUnknownKm, placesMax);
  places.network = insertBounded(places.network, i, login.network, placesMax);
  places.asn = insertBounded(places.asn, i, login.asn, placesMax);
  places.city = insertBounded(places.city, i, login.city!, placesMax);
  places.country = insertBounded(places.country, i, login.country, placesMax);
}

/** Learns from a success whose time is believed. Places behind proxies never overwrite real ones. */
export function learnSuccess(profile: Profile, login: Login): void {
  profile.learned++;
  if (login.city !== null) profile.learnedWithCity++;
  if (profile.firstSuccess < 0 || login.timeUnixMs < profile.firstSuccess) profile.firstSuccess = login.timeUnixMs;
  if (isComparable(login)) addPlace(profile.places, login);
}
