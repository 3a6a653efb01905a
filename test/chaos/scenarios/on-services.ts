import type { Scenario } from '../harness/scenario.ts';
import { cutFromServices } from './f14-cut-from-services.ts';
import { storeDown } from './f27-store-down.ts';
import { slowStore } from './f28-slow-store.ts';
import { lostStore } from './f29-lost-store.ts';
import { failover } from './f30-failover.ts';
import { fullStore } from './f31-full-store.ts';
import { flushedFunction } from './f32-flushed-function.ts';
import { lostReplies } from './f33-lost-replies.ts';
import { brokersRestarted } from './f34-brokers.ts';
import { movingPartitions } from './f35-moving-partitions.ts';
import { expiredReader } from './f36-expired-reader.ts';
import { rewoundOffsets } from './f37-rewound-offsets.ts';

/** Those on a real Kafka and a real Redis. */
export const onServices: readonly Scenario[] = [
  cutFromServices,
  storeDown,
  slowStore,
  lostStore,
  failover,
  fullStore,
  flushedFunction,
  lostReplies,
  brokersRestarted,
  movingPartitions,
  expiredReader,
  rewoundOffsets,
];
