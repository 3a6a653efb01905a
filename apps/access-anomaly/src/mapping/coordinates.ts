/** Coordinates from the three forms that logs use, and the rule that 0,0 and anything off the globe is no place. */

export interface Coordinates {
  readonly lat: number;
  readonly lon: number;
}

/** A number, or text that is one; NaN else. */
export function numberOf(value: unknown): number {
  if (typeof value === 'number') return value;
  return typeof value === 'string' && /^\s*[+-]?\d+(\.\d+)?([eE][+-]?\d+)?\s*$/.test(value)
    ? Number(value)
    : Number.NaN;
}

export function coordinates(lat: number, lon: number): Coordinates | null {
  if (!(lat >= -90 && lat <= 90 && lon >= -180 && lon <= 180)) return null;
  return lat === 0 && lon === 0 ? null : { lat, lon };
}

/** A point as `{lat, lon}`, `[lon, lat]` or `"lat,lon"`. */
export function coordinatesOfPoint(point: unknown): Coordinates | null {
  if (typeof point === 'string') {
    const parts = point.split(',');
    return parts.length === 2 ? coordinates(numberOf(parts[0]), numberOf(parts[1])) : null;
  }
  if (Array.isArray(point)) {
    return point.length === 2 ? coordinates(numberOf(point[1]), numberOf(point[0])) : null;
  }
  if (typeof point !== 'object' || point === null) return null;
  const object = point as Record<string, unknown>;
  return coordinates(numberOf(object.lat), numberOf(object.lon));
}
