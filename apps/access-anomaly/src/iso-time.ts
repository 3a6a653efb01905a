/**
 * Time of day and date without `Date`: handlers must give the same result in every process and at every replay.
 * Source: RFC 3339 section 5.6; the day count is the proleptic Gregorian calendar.
 */

const dayMs = 86_400_000;
const daysBeforeMonth = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
const daysInMonth = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** Times that can be written with a four-digit year. */
export const timeMinUnixMs = -62_167_219_200_000;
export const timeMaxUnixMs = 253_402_300_799_999;

function isLeap(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

/** Days from 1970-01-01 to the given date; month from 1. */
function daysFromDate(year: number, month: number, day: number): number {
  const y = year - 1;
  const leapDays = Math.floor(y / 4) - Math.floor(y / 100) + Math.floor(y / 400);
  const inYear = daysBeforeMonth[month - 1]! + (month > 2 && isLeap(year) ? 1 : 0) + day - 1;
  return 365 * y + leapDays + inYear - 719_162;
}

/** Two decimal digits at `at`; NaN when they aren't. */
function twoDigits(text: string, at: number): number {
  const tens = text.charCodeAt(at) - 48;
  const ones = text.charCodeAt(at + 1) - 48;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : Number.NaN;
}

/** Offset from UTC in minutes of the zone that fills `text` from `at` on; NaN when it is none. */
function zoneMinutes(text: string, at: number): number {
  const sign = text[at];
  if ((sign === 'Z' || sign === 'z') && at + 1 === text.length) return 0;
  if (sign !== '+' && sign !== '-') return Number.NaN;
  const colon = text[at + 3] === ':' ? 1 : 0;
  if (text.length !== at + 5 + colon) return Number.NaN;
  const hours = twoDigits(text, at + 1);
  const minutes = twoDigits(text, at + 3 + colon);
  if (!(hours <= 23 && minutes <= 59)) return Number.NaN;
  return sign === '-' ? -(hours * 60 + minutes) : hours * 60 + minutes;
}

/**
 * Parses a date with time and zone: `2026-03-02T09:15:30.25+01:00`. Also taken: lower-case `t` and `z`, a space for the
 * `T`, `+0100` without colon, a leap second (the first moment of the next minute). Digits below a millisecond are cut.
 * @param assumeUtc take a time without zone as UTC, instead of refusing it
 * @returns milliseconds since 1970, or NaN for anything else (a date alone, a 30th of February, ...)
 */
export function parseIsoTime(text: string, assumeUtc = false): number {
  const year = twoDigits(text, 0) * 100 + twoDigits(text, 2);
  const month = twoDigits(text, 5);
  const day = twoDigits(text, 8);
  const hour = twoDigits(text, 11);
  const minute = twoDigits(text, 14);
  const second = twoDigits(text, 17);
  if (!(year >= 0 && month >= 1 && month <= 12 && day >= 1 && hour <= 23 && minute <= 59 && second <= 60)) {
    return Number.NaN;
  }
  if (day > daysInMonth[month - 1]! + (month === 2 && isLeap(year) ? 1 : 0)) return Number.NaN;
  const separator = text[10];
  if (text[4] !== '-' || text[7] !== '-' || text[13] !== ':' || text[16] !== ':') return Number.NaN;
  if (separator !== 'T' && separator !== 't' && separator !== ' ') return Number.NaN;
  let at = 19;
  let fractionMs = 0;
  if (text[at] === '.' || text[at] === ',') {
    at++;
    let weight = 100;
    const first = at;
    for (let digit = text.charCodeAt(at) - 48; digit >= 0 && digit <= 9; digit = text.charCodeAt(++at) - 48) {
      if (weight >= 1) fractionMs += digit * weight;
      weight /= 10;
    }
    if (at === first) return Number.NaN;
  }
  const zone = assumeUtc && at === text.length ? 0 : zoneMinutes(text, at);
  const clockMs = ((hour * 60 + minute - zone) * 60 + second) * 1000 + fractionMs;
  return daysFromDate(year, month, day) * dayMs + clockMs;
}

function pad(value: number, width: number): string {
  return String(value).padStart(width, '0');
}

/**
 * `2026-03-02T09:15:30.250Z`, always with milliseconds and in UTC.
 * @param unixMs from `timeMinUnixMs` to `timeMaxUnixMs`
 * Source of the calendar part: counting in 400-year eras from 1 March, so that the leap day is the last of its year.
 */
export function formatIsoTime(unixMs: number): string {
  const days = Math.floor(unixMs / dayMs);
  const ms = unixMs - days * dayMs;
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * monthFromMarch + 2) / 5) + 1;
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  const date = `${pad(year, 4)}-${pad(month, 2)}-${pad(day, 2)}`;
  const seconds = Math.floor(ms / 1000);
  const clock = `${pad(Math.floor(seconds / 3600), 2)}:${pad(Math.floor(seconds / 60) % 60, 2)}:${pad(seconds % 60, 2)}`;
  return `${date}T${clock}.${pad(Math.floor(ms % 1000), 3)}Z`;
}
