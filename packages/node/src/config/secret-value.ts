import type { Setting } from './setting-list.ts';

const hidden = '(hidden)';

/** A setting's value as it may be shown: of secrets only that there is one, of addresses all but the password in them. */
export function shownValue({ secret }: Pick<Setting, 'secret'>, value: unknown): unknown {
  if (!secret || value === null || value === undefined) return value;
  if (typeof value !== 'string' || !/^rediss?:\/\//.test(value) || !URL.canParse(value)) return hidden;
  const url = new URL(value);
  // A password that isn't encoded ends up anywhere behind the host.
  if (!/^\/?\d*$/.test(url.pathname) || url.search !== '' || url.hash !== '') return hidden;
  return url.password === '' ? value : `${url.protocol}//${url.username}:${hidden}@${url.host}${url.pathname}`;
}
