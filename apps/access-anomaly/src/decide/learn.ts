import type { Login } from '../mapping/login.ts';
import { type Places, type Profile, placesMax } from './profile.ts';
import { isComparable, travelLimits } from './travel.ts';

function addPlace(places: Places, login: Login): void {
  let i = places.time.length;
  while (i > 0 && places.time[i - 1]! < login.timeUnixMs) i--;
  if (i >= placesMax) return;
  places.time.splice(i, 0, login.timeUnixMs);
  places.lat.splice(i, 0, login.lat!);
  places.lon.splice(i, 0, login.lon!);
  places.radiusKm.splice(i, 0, login.radiusKm ?? travelLimits.radiusUnknownKm);
  places.network.splice(i, 0, login.network);
  places.asn.splice(i, 0, login.asn);
  places.city.splice(i, 0, login.city!);
  places.country.splice(i, 0, login.country);
  if (places.time.length > placesMax) for (const column of Object.values(places) as unknown[][]) column.pop();
}

/** Learns from a success whose time is believed. Places behind proxies never overwrite real ones. */
export function learnSuccess(profile: Profile, login: Login): void {
  profile.learned++;
  if (login.city !== null) profile.learnedWithCity++;
  if (profile.firstSuccess < 0 || login.timeUnixMs < profile.firstSuccess) profile.firstSuccess = login.timeUnixMs;
  if (isComparable(login)) addPlace(profile.places, login);
}
