import { recordTransportConformance } from '@holdfast/testkit';
import { GrpcRecordTransport } from './record-transport.ts';

recordTransportConformance('gRPC', () => ({
  create: ({ localShard, clusterId = 'cluster', address }) =>
    new GrpcRecordTransport({ localShard, clusterId, ...(address !== undefined && { port: portOf(address) }) }),
}));

function portOf(address: string): number {
  return Number(address.slice(address.lastIndexOf(':') + 1));
}
