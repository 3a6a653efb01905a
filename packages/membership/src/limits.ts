/**
 * Bounds on what may come from outside. Together they keep one member's gossip entry far below one datagram
 * (1,400 bytes): an entry that doesn't fit could never be told to anyone.
 */
export const nodeIdBytesMax = 64;
export const addressBytesMax = 128;
export const versionBytesMax = 32;
export const zoneBytesMax = 64;
/** A shard is a core; 128 shards that listen on the node's own host cost 3 bytes each. */
export const shardsMax = 128;
/** Encoded NodeMeta. */
export const nodeMetaBytesMax = 900;
/** Start counters fit the upper part of an incarnation, see `incarnationOfStart`. */
export const startCounterMax = 2 ** 28 - 1;
/** Incarnations one start may use up: each refutation or update of the meta takes one. */
export const incarnationsPerStart = 2 ** 20;
export const incarnationMax = 2 ** 49 - 1;
/**
 * Starts that one may miss of a member, and by which what others remember of it may be ahead of its start counter: a node
 * whose data folder was wiped begins at the first start again, and goes on above the memory of all that it had. A million
 * is a start a minute for two years; a greater leap is nonsense or an attack. Counters and leaps together stay below 2^28 +
 * 2^20 starts: what is raised above all that may be believed is far below `incarnationMax` still.
 */
export const startsMissedMax = 2 ** 20;
