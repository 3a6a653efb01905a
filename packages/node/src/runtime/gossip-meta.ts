import type { Member, NodeMeta } from '@holdfast/membership';
import type { NodeId } from '@holdfast/model';
import { advertisedHost } from '../config/advertised-host.ts';
import { formatHostPort } from '../config/host-port.ts';
import type { NodeConfig } from '../config/node-config.ts';

/** What a node tells the others about itself: by its configuration, its folder, and where it listens. */
export function gossipMeta(
  config: Pick<NodeConfig, 'listenHttp' | 'zone' | 'nodeId' | 'peers'>,
  { uuid, startCounter }: { readonly uuid: string; readonly startCounter: number },
  { version, peerAddress }: { readonly version: string; readonly peerAddress: string },
): NodeMeta {
  const { listenHttp, zone } = config;
  const httpAddress =
    // Which port a 0 comes to nobody can know beforehand.
    listenHttp === null || listenHttp.port === 0
      ? null
      : formatHostPort({ host: advertisedHost(config, listenHttp), port: listenHttp.port });
  return { uuid, startCounter, version, peerAddress, shardAddresses: [], httpAddress, zone };
}

/** Where a node stands, as it has told: the leader spreads voters over it. Null while nothing is known of it. */
export function zoneIn(members: readonly Pick<Member, 'id' | 'meta'>[], id: NodeId): string | null {
  return members.find((member) => member.id === id)?.meta.zone ?? null;
}
