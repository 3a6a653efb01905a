/** IP addresses as logs write them: with port, in brackets, with zone, IPv4 inside IPv6. */

export interface Address {
  /** Canonical text (RFC 5952 for IPv6). */
  readonly ip: string;
  /** The /24 or /48 it belongs to. */
  readonly network: string;
}

/** Four decimal numbers up to 255, without leading zeros: those mean octal to some readers. */
function parseIpv4(text: string): number[] | null {
  const numbers: number[] = [];
  let value = -1;
  for (let i = 0; i <= text.length; i++) {
    const c = i < text.length ? text.charCodeAt(i) : 0x2e;
    if (c === 0x2e) {
      if (value < 0) return null;
      numbers.push(value);
      value = -1;
    } else {
      if (c < 0x30 || c > 0x39 || value === 0) return null;
      value = (value < 0 ? 0 : value * 10) + c - 0x30;
      if (value > 255) return null;
    }
  }
  return numbers.length === 4 ? numbers : null;
}

/** Groups of one side of `::`; an IPv4 tail gives two. */
function parseGroups(text: string): number[] | null {
  if (text === '') return [];
  const groups: number[] = [];
  const parts = text.split(':');
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i]!;
    if (i === parts.length - 1 && part.includes('.')) {
      const v4 = parseIpv4(part);
      if (v4 === null) return null;
      groups.push(v4[0]! * 256 + v4[1]!, v4[2]! * 256 + v4[3]!);
    } else if (/^[0-9a-fA-F]{1,4}$/.test(part)) groups.push(Number.parseInt(part, 16));
    else return null;
  }
  return groups;
}

function parseIpv6(text: string): number[] | null {
  const gap = text.indexOf('::');
  if (gap < 0) {
    const groups = parseGroups(text);
    return groups !== null && groups.length === 8 ? groups : null;
  }
  if (text.indexOf('::', gap + 1) >= 0) return null;
  const head = parseGroups(text.slice(0, gap));
  const tail = parseGroups(text.slice(gap + 2));
  if (head === null || tail === null || head.length + tail.length > 7) return null;
  if (text.slice(0, gap).includes('.')) return null;
  return [...head, ...new Array<number>(8 - head.length - tail.length).fill(0), ...tail];
}

/** Lower-case hex, the longest run of at least two zero groups as `::`, the first of equals. */
function formatIpv6(groups: readonly number[]): string {
  let bestStart = -1;
  let bestLength = 1;
  for (let i = 0; i < 8; i++) {
    let j = i;
    while (j < 8 && groups[j] === 0) j++;
    if (j - i > bestLength) {
      bestStart = i;
      bestLength = j - i;
    }
  }
  const hex = groups.map((group) => group.toString(16));
  if (bestStart < 0) return hex.join(':');
  return `${hex.slice(0, bestStart).join(':')}::${hex.slice(bestStart + bestLength).join(':')}`;
}

function addressOfIpv4(v4: readonly number[]): Address {
  return { ip: v4.join('.'), network: `${v4[0]}.${v4[1]}.${v4[2]}.0/24` };
}

/** Null for anything that is no address: a host name, `-`, `unknown`. */
export function parseAddress(written: string): Address | null {
  let text = written.trim();
  if (text.length > 100) return null;
  const plain = parseIpv4(text);
  if (plain !== null) return addressOfIpv4(plain);
  const bracketed = /^\[([^\]]*)\](?::\d{1,5})?$/.exec(text);
  if (bracketed !== null) text = bracketed[1]!;
  else if (/^[^:]*:\d{1,5}$/.test(text)) text = text.slice(0, text.indexOf(':'));
  const zone = text.indexOf('%');
  if (zone >= 0) text = text.slice(0, zone);
  if (!text.includes(':')) {
    const v4 = bracketed === null ? parseIpv4(text) : null;
    return v4 === null ? null : addressOfIpv4(v4);
  }
  const groups = parseIpv6(text);
  if (groups === null) return null;
  if (groups[5] === 0xffff && groups.slice(0, 5).every((group) => group === 0)) {
    return addressOfIpv4([groups[6]! >> 8, groups[6]! & 255, groups[7]! >> 8, groups[7]! & 255]);
  }
  const prefix = [...groups.slice(0, 3), 0, 0, 0, 0, 0];
  return { ip: formatIpv6(groups), network: `${formatIpv6(prefix)}/48` };
}
