import { MemoryNetwork } from './memory-network.ts';
import { MemoryPeerTransport } from './memory-peer-transport.ts';
import { ImmediateTime } from './network-time.ts';
import { peerTransportConformance } from './peer-transport-conformance.ts';

peerTransportConformance('in memory', () => {
  const time = new ImmediateTime();
  const network = new MemoryNetwork({ time });
  let sites = 0;
  return {
    create: (options) => new MemoryPeerTransport({ network, site: `site${++sites}`, ...options }),
    pass: (durationMs) => time.pass(durationMs),
  };
});
