import { peerTransportConformance } from '@holdfast/testkit';
import { GrpcPeerTransport } from './peer-transport.ts';
import { ServerHost } from './server-host.ts';

peerTransportConformance('gRPC', () => ({
  create: ({ nodeId, clusterId = 'cluster', address, raftQueueCountMax }) =>
    new GrpcPeerTransport({
      nodeId,
      clusterId,
      host: new ServerHost(address === undefined ? {} : { port: portOf(address) }),
      limits: raftQueueCountMax === undefined ? {} : { raftQueueCountMax },
    }),
  pass: (durationMs) => new Promise((resolve) => setTimeout(resolve, durationMs)),
}));

function portOf(address: string): number {
  return Number(address.slice(address.lastIndexOf(':') + 1));
}
