import type { Api } from '../wire/api.ts';

export interface ApiRange {
  readonly key: number;
  readonly least: number;
  readonly most: number;
}

export interface ApiVersionsAnswer {
  readonly error: number;
  readonly ranges: readonly ApiRange[];
}

/**
 * ApiVersions v0: () => error_code INT16, [api_key INT16, min INT16, max INT16].
 * The oldest form: whoever speaks Kafka at all can answer it.
 */
export const apiVersions: Api<null, ApiVersionsAnswer> = {
  name: 'ApiVersions',
  key: 18,
  version: 0,
  flexible: false,
  write: () => undefined,
  read: (r) => ({
    error: r.int16(),
    ranges: r.array(() => ({ key: r.int16(), least: r.int16(), most: r.int16() })),
  }),
};
