import type { Frame, Return, StreamId } from '@holdfast/processor';

/** The sending end of a stream, at an ingest. */
export interface FrameSender {
  /** False: the frame was taken, but no more should be sent until `onDrain`. */
  send(frame: Frame): boolean;
  /** Ends the stream without waiting for what is under way. */
  close(): void;
}

/** What the ingest hears from a stream it opened. No call comes after `onEnd`. */
export interface FrameSenderEvents {
  /** The holder has taken the stream: it is reached, whatever it waits for. At most once, before all returns. */
  onAccepted(): void;
  onReturn(message: Return): void;
  onDrain(): void;
  /**
   * The stream is over, for whatever reason: what isn't acknowledged may have arrived or not. Comes exactly once per
   * stream, also after one's own `close()`, and never from within `open`, `send` or `close`.
   */
  onEnd(reason: string): void;
}

/** The receiving end, at a holder. */
export interface FrameReceiver {
  /** Sends a return; returns are never refused (their number is bounded by the frames in flight). */
  reply(message: Return): void;
  close(reason: string): void;
}

/** What the holder hears. A listener answers `onOpen` with the events of that stream. */
export interface FrameReceiverEvents {
  onFrame(frame: Frame): void;
  /** As at the sender: exactly once, also after one's own `close()`, never from within a call; nothing comes after it. */
  onEnd(reason: string): void;
}

/**
 * Streams of frames between shards: ordered, at most once, may end at any time (PROTOCOL.md 4.1).
 * Adapters: gRPC, and the in-memory twin.
 */
export interface RecordTransport {
  /** Opens a stream; failures to connect come as `onEnd`. */
  open(stream: StreamId, address: string, events: FrameSenderEvents): FrameSender;
  /** Starts listening; `onOpen` is called once per stream, which is accepted unless it was closed in there. Resolves with the address that others can reach. */
  listen(onOpen: (stream: StreamId, receiver: FrameReceiver) => FrameReceiverEvents): Promise<string>;
  close(): Promise<void>;
}
