import type { FieldSource, Mapping } from './mapping.ts';

function from(...paths: string[]): FieldSource {
  return { paths, empty: [] };
}

/** The project's own format: one flat object; also what the generator writes. */
const holdfast: Mapping = {
  name: 'holdfast',
  filter: [],
  fields: {
    user: from('user'),
    time: from('time'),
    ip: from('ip'),
    city: from('city'),
    country: from('country'),
    lat: from('lat'),
    lon: from('lon'),
    radiusKm: from('radiusKm'),
    asn: from('asn'),
    userAgent: from('userAgent'),
    deviceId: from('deviceId'),
    proxy: from('proxy'),
    accountExists: from('accountExists'),
  },
  timeFormat: 'auto',
  outcome: { paths: ['outcome'], success: ['success'], failure: ['failure'], otherwise: 'unknown' },
};

/** nginx access logs written with `escape=json`. Without authentication the client address stands for the user. */
const nginx: Mapping = {
  name: 'nginx',
  filter: [],
  fields: {
    user: { paths: ['remote_user', 'remote_addr'], empty: ['-'] },
    time: { paths: ['time_iso8601', 'time', 'msec'], empty: ['-'] },
    ip: { paths: ['remote_addr'], empty: ['-'] },
    userAgent: { paths: ['http_user_agent'], empty: ['-'] },
  },
  timeFormat: 'auto',
  outcome: { paths: ['status'], success: [{ from: 200, to: 399 }], failure: [401, 403, 429], otherwise: 'unknown' },
};

/** Elastic Common Schema, authentication events. */
const ecs: Mapping = {
  name: 'ecs',
  filter: [{ path: 'event.category', anyOf: ['authentication'] }],
  fields: {
    user: from('user.id', 'user.name', 'user.email'),
    time: from('@timestamp'),
    ip: from('source.ip'),
    city: from('source.geo.city_name'),
    country: from('source.geo.country_iso_code'),
    point: from('source.geo.location'),
    asn: from('source.as.number'),
    userAgent: from('user_agent.original'),
  },
  timeFormat: 'auto',
  outcome: { paths: ['event.outcome'], success: ['success'], failure: ['failure'], otherwise: 'unknown' },
};

export const builtInMappings: ReadonlyMap<string, Mapping> = new Map(
  [holdfast, nginx, ecs].map((mapping) => [mapping.name, mapping]),
);
