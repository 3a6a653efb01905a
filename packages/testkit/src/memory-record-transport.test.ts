import { MemoryNetwork } from './memory-network.ts';
import { MemoryRecordTransport } from './memory-record-transport.ts';
import { recordTransportConformance } from './record-transport-conformance.ts';

recordTransportConformance('in memory', () => {
  const network = new MemoryNetwork();
  let sites = 0;
  return {
    create: (options) => new MemoryRecordTransport({ network, site: `site ${++sites}`, ...options }),
  };
});
