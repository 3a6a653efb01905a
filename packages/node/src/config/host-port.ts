import { isIP } from 'node:net';

/** Where to listen, or what to call. */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

export const hostPortExpected = 'host:port, such as 10.0.0.11:7400 or [::1]:7400';

/** Null when the text is no `host:port`. IPv6 addresses stand in brackets. */
export function parseHostPort(text: string): HostPort | null {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:[\]/]+)):(0|[1-9]\d{0,4})$/.exec(text);
  if (match === null) return null;
  const port = Number(match[3]);
  return port > 65_535 ? null : { host: match[1] ?? match[2]!, port };
}

export function formatHostPort({ host, port }: HostPort): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** All addresses of the machine, in any spelling: good to listen on, none to call. */
export function isWildcard(host: string): boolean {
  return /^(::ffff:)?[0:.]+$/i.test(host);
}

/** Whether two who listen there can't have one port: all addresses of IPv6 are those of IPv4 as well. */
export function meets(one: string, other: string): boolean {
  const takes = (all: string, host: string) => isWildcard(all) && (isIP(all) === 6 || isIP(host) !== 6);
  return one === other || takes(one, other) || takes(other, one);
}

/** Nobody outside this machine can send to it. */
export function isLoopback(host: string): boolean {
  return host === '::1' || host === 'localhost' || host.startsWith('127.');
}
