import { decodeUtf8, encodeUtf8 } from '@holdfast/model';
import { parseAddress } from './address.ts';
import { addressBytesMax, shardsMax, startCounterMax, versionBytesMax, zoneBytesMax } from './limits.ts';
import type { NodeMeta } from './member.ts';

const uuidText = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** All that is wrong with a meta, one line per problem: path, value, expectation. Empty when it may be sent. */
export function nodeMetaProblems(meta: NodeMeta): string[] {
  const problems: string[] = [];
  const expect = (ok: boolean, path: string, value: unknown, expected: string) => {
    if (!ok) problems.push(`${path}: ${JSON.stringify(value)?.slice(0, 200)}, expected ${expected}`);
  };
  const address = `host:port of at most ${addressBytesMax} bytes`;
  expect(uuidText.test(meta.uuid), 'meta.uuid', meta.uuid, 'a uuid in lower-case hex');
  expect(
    Number.isInteger(meta.startCounter) && meta.startCounter >= 0 && meta.startCounter <= startCounterMax,
    'meta.startCounter',
    meta.startCounter,
    `an integer from 0 to ${startCounterMax}`,
  );
  expect(
    isText(meta.version, versionBytesMax),
    'meta.version',
    meta.version,
    `text of 1 to ${versionBytesMax} bytes without control characters`,
  );
  expect(parseAddress(meta.peerAddress) !== null, 'meta.peerAddress', meta.peerAddress, address);
  const shards = meta.shardAddresses;
  expect(shards.length <= shardsMax, 'meta.shardAddresses.length', shards.length, `at most ${shardsMax}`);
  for (let i = 0; i < Math.min(shards.length, shardsMax); i++) {
    expect(parseAddress(shards[i]!) !== null, `meta.shardAddresses[${i}]`, shards[i], address);
  }
  expect(
    meta.httpAddress === null || parseAddress(meta.httpAddress) !== null,
    'meta.httpAddress',
    meta.httpAddress,
    `${address}, or null`,
  );
  expect(
    meta.zone === null || isText(meta.zone, zoneBytesMax),
    'meta.zone',
    meta.zone,
    `text of 1 to ${zoneBytesMax} bytes without control characters, or null`,
  );
  return problems;
}

/** Well-formed text within its limit; control characters would reach logs and terminals. */
export function isText(text: string, bytesMax: number): boolean {
  if (text.length === 0 || text.length > bytesMax || /[\u0000-\u001f\u007f]/.test(text)) return false;
  const bytes = encodeUtf8(text);
  // A lone surrogate doesn't survive the round trip.
  return bytes.length <= bytesMax && decodeUtf8(bytes) === text;
}
