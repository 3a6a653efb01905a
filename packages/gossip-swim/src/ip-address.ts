import { isIPv6, SocketAddress } from 'node:net';
import { formatAddress, parseAddress } from '@holdfast/membership';

/**
 * The spelling of an IP address in which sources of datagrams come: a node is known by its address, as a text, and IPv6
 * addresses have many. Names stay as they are.
 */
export function canonicalHost(host: string): string {
  return isIPv6(host) && !host.includes('%') ? new SocketAddress({ address: host, family: 'ipv6' }).address : host;
}

/** The same for host:port. */
export function canonicalAddress(text: string): string {
  const address = parseAddress(text);
  return address === null ? text : formatAddress(canonicalHost(address.host), address.port);
}

/** Whether the host is this machine for whoever uses it. @param host canonical */
export function isLoopback(host: string): boolean {
  return host === '::1' || /^(?:::ffff:)?127\./.test(host);
}
