/** Bounds of queues, sizes and waits. Every one has its answer when reached, named here. */
export interface TransportLimits {
  /** Largest encoded frame or other message, in bytes. A larger one ends its stream, or fails its call. */
  readonly frameBytesMax: number;
  /** Bytes taken but not yet given to the connection at which `send` begins to answer false. */
  readonly sendHighWaterBytes: number;
  /** Bytes taken but not yet given to the connection, of one stream, at which it is ended: its user ignores `send`'s answer. */
  readonly sendBufferBytesMax: number;
  /** HTTP/2 receive window of a stream and of a connection, in bytes: what may be under way without being read. */
  readonly receiveWindowBytes: number;
  /** Streams and calls that one connection may have open; further ones wait at the client. */
  readonly connectionStreamsMax: number;
  /** Memory of one connection's HTTP/2 session, in megabytes; beyond it new streams are refused. */
  readonly sessionMemoryMegabytesMax: number;
  /** Silence after which a connection is probed. */
  readonly keepaliveTimeMs: number;
  /** Wait for a probe's answer before the connection counts as broken. */
  readonly keepaliveTimeoutMs: number;
  /** From opening a stream to its acceptance by the other side. */
  readonly connectTimeoutMs: number;
  /** From a stream's arrival to its hello. */
  readonly helloTimeoutMs: number;
  /** For streams to end in good order when a server closes; then they are cut. */
  readonly closeTimeoutMs: number;
  /** Raft messages waiting for one peer; beyond it the oldest is dropped. */
  readonly raftQueueCountMax: number;
  /** Their bytes; beyond it the oldest is dropped (but never the newest). */
  readonly raftQueueBytesMax: number;
  /** One Raft message (a snapshot), in bytes. Larger ones are dropped by the sender and refused by the receiver. */
  readonly raftMessageBytesMax: number;
  /** Calls of one peer under way; further ones fail at once. */
  readonly callsUnderWayMax: number;
  /** Between attempts to reach a peer for which messages wait. */
  readonly raftReconnectMs: number;
}

const mebibyte = 1024 * 1024;

/**
 * Keepalive: a vanished peer is noticed within 8 s; a peer whose event loop stands still for less than 3 s is not cut.
 * The window covers 40 MB/s at 100 ms of round trip.
 */
export const defaultLimits: TransportLimits = Object.freeze({
  frameBytesMax: 4 * mebibyte,
  sendHighWaterBytes: mebibyte,
  sendBufferBytesMax: 32 * mebibyte,
  receiveWindowBytes: 4 * mebibyte,
  connectionStreamsMax: 256,
  sessionMemoryMegabytesMax: 128,
  keepaliveTimeMs: 5_000,
  keepaliveTimeoutMs: 3_000,
  connectTimeoutMs: 3_000,
  helloTimeoutMs: 5_000,
  closeTimeoutMs: 1_000,
  raftQueueCountMax: 4_096,
  raftQueueBytesMax: 64 * mebibyte,
  raftMessageBytesMax: 256 * mebibyte,
  callsUnderWayMax: 1_024,
  raftReconnectMs: 200,
});
