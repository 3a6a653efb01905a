import { addressBytesMax } from './limits.ts';

/** A host name or IP literal (IPv6 without brackets), and a port from 1 to 65535. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

const hostName = /^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?$/;
const ipv6 = /^[0-9A-Fa-f:.]+$/;
const portDigits = /^[1-9][0-9]{0,4}$/;

/** Reads `host:port` or `[ipv6]:port`; null when it is neither. Linear in the length, which is capped. */
export function parseAddress(text: string): Address | null {
  if (text.length > addressBytesMax) return null;
  const colon = text.lastIndexOf(':');
  if (colon < 1 || !portDigits.test(text.slice(colon + 1))) return null;
  const port = Number(text.slice(colon + 1));
  if (port > 65535) return null;
  const host = text.slice(0, colon);
  if (host.startsWith('[')) {
    const inner = host.slice(1, -1);
    return host.endsWith(']') && inner.includes(':') && ipv6.test(inner) ? { host: inner, port } : null;
  }
  return hostName.test(host) ? { host, port } : null;
}

/** The one spelling of an address: IPv6 hosts in brackets. */
export function formatAddress(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
