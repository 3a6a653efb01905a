import { type NodeId, nodeId } from '@holdfast/model';
import * as fc from 'fast-check';
import { type MemberClaim, memberStates, type NodeMeta } from './member.ts';

const hex = (length: number) =>
  fc.array(fc.constantFrom(...'0123456789abcdef'), { minLength: length, maxLength: length }).map((a) => a.join(''));

export const uuids = fc.tuple(hex(8), hex(4), hex(4), hex(4), hex(12)).map((parts) => parts.join('-'));

export const addresses = fc
  .tuple(
    fc.constantFrom('10.0.0.1', '10.0.0.2', 'node-1.example', '[::1]', '[fe80::12]'),
    fc.integer({ min: 1, max: 65535 }),
  )
  .map(([host, port]) => `${host}:${port}`);

const names = fc.string({ minLength: 1, maxLength: 8, unit: fc.constantFrom('a', 'b', '1', '-', 'é', '漢', '😀') });

export const metas: fc.Arbitrary<NodeMeta> = fc.record({
  uuid: uuids,
  startCounter: fc.nat({ max: 2 ** 28 - 1 }),
  version: names,
  peerAddress: addresses,
  shardAddresses: fc.array(addresses, { maxLength: 8 }),
  httpAddress: fc.option(addresses),
  zone: fc.option(names),
});

/** Few values for each field, so that ties and contradictions are common. */
const fewMetas: fc.Arbitrary<NodeMeta> = fc
  .record({ uuid: fc.constantFrom('0', '1'), startCounter: fc.nat({ max: 2 }), zone: fc.constantFrom(null, 'a', 'b') })
  .map(({ uuid, startCounter, zone }) => ({
    uuid: `${uuid.repeat(8)}-0000-0000-0000-000000000000`,
    startCounter,
    version: '1',
    peerAddress: '10.0.0.1:7400',
    shardAddresses: [],
    httpAddress: null,
    zone,
  }));

export const claimIds: readonly NodeId[] = ['a', 'b', 'c'].map(nodeId);

export const claims: fc.Arbitrary<MemberClaim> = fc.record({
  id: fc.constantFrom(...claimIds),
  incarnation: fc.nat({ max: 3 }),
  state: fc.constantFrom(...memberStates),
  gossipAddress: fc.constantFrom('10.0.0.1:7500', '10.0.0.2:7500'),
  meta: fewMetas,
});
