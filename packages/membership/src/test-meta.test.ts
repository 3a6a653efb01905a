import type { NodeMeta } from './member.ts';

/** What a node says of itself, where a test doesn't mind what. */
export function metaWith(more: Partial<NodeMeta> = {}): NodeMeta {
  return {
    uuid: '00000000-0000-0000-0000-000000000001',
    startCounter: 1,
    version: '1',
    peerAddress: '10.0.0.1:7400',
    shardAddresses: [],
    httpAddress: null,
    zone: null,
    ...more,
  };
}
