/** Bounds of what a record may hold. They protect decoders and the log, not memory: see `LeaseOptions` for that. */

/** Units in one record: a Raft entry of 64 KiB, and a table that is busy for less than a millisecond. */
export const unitsPerRecordMax = 8192;
/** Shards of one session. */
export const shardsPerSessionMax = 1024;
/** Shards of all live sessions: holder numbers have 16 bits, and a rebuild wants twice the room. */
export const shardsMax = 30_000;
/** Former generations of the store that are remembered: more failovers than an old master can sleep through. */
export const formerGenerationsMax = 64;
/** Addresses of one node: its peer address and one per shard. */
export const addressesMax = shardsPerSessionMax + 1;
/** Partitions of one topic; Kafka's own practical limit is lower. */
export const partitionsPerTopicMax = 100_000;
/** What shards were at when their process ended, remembered for the latest: many times what a rule of a few ends needs. */
export const crashesKeptMax = 1024;
/** In one report: a node has one for each of its shards, and those that it couldn't report before. */
export const crashesPerReportMax = 512;
/** Those of logs are shorter: Kafka's have 22 characters. */
export const topicIdLengthMax = 255;
/** More than so many are no matter of single users: a job that crashes on everything is not mended one user at a time. */
export const quarantinedUnitsMax = 1_024;
/** Released units that are remembered, until everything that came before their release is long done with: all may be released at once. */
export const releasedUnitsMax = quarantinedUnitsMax;
/** Faulty units in one entry; others are asked for again. */
export const faultyUnitsPerEntryMax = 64;
/** Ends of partitions in one record. */
export const partitionEndsMax = 100_000;
/** Live leases in a table, above which every replica voids grants: what 24-bit entry numbers allow with room to rebuild. */
export const unitsHardMax = 11_000_000;
