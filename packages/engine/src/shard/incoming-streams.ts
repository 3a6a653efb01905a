import type { ShardRef } from '@holdfast/model';
import {
  checkBlock,
  type Frame,
  type HolderStream,
  RecordBlockError,
  type Return,
  type StreamId,
} from '@holdfast/processor';
import type { FrameReceiver, FrameReceiverEvents } from '../ports/record-transport.ts';
import type { ShardContext } from './shard-context.ts';

/** Topics come from outside, also their number. */
const toldOfMax = 100;

/** The streams that ingests of other shards have opened to this one: from whom they are taken, and what ends them. */
export class IncomingStreams {
  readonly #context: ShardContext;
  readonly #receivers = new Map<HolderStream, FrameReceiver>();
  /** Topics of which somebody has been told that their records are refused here. */
  readonly #toldOf = new Set<string>();

  constructor(context: ShardContext) {
    this.#context = context;
  }

  /**
   * @param isLive whether a shard has a live session, as far as is known here: who opens may be ahead, and tries again
   * @returns why the stream isn't taken, in words that say no more than the opener has said
   */
  accept(id: StreamId, receiver: FrameReceiver, isLive: (shard: ShardRef) => boolean): FrameReceiverEvents | string {
    const { from, to } = id;
    if (from.session === to.session && from.shard === to.shard) return 'a stream from the shard that it leads to';
    if (!isLive(from)) return `session ${from.session} shard ${from.shard} is not known here, or no more`;
    const stream = this.#context.holder.openStream(id);
    if (stream === null) return `a newer stream than incarnation ${id.incarnation} was opened here`;
    for (const other of [...this.#receivers.keys()]) if (other.ended) this.#end(other, 'a newer stream took its place');
    this.#receivers.set(stream, receiver);
    return {
      onFrame: (frame) => this.#onFrame(stream, frame),
      onEnd: () => this.#forget(stream),
    };
  }

  /** False: it is none of these, or over. */
  reply(stream: HolderStream, returns: readonly Return[]): boolean {
    const receiver = this.#receivers.get(stream);
    for (const message of returns) receiver?.reply(message);
    return receiver !== undefined;
  }

  closeAll(): void {
    for (const stream of [...this.#receivers.keys()]) this.#end(stream, 'the shard stops');
  }

  #onFrame(stream: HolderStream, frame: Frame): void {
    if (this.#context.stopped || stream.ended) return;
    const { clock, holder, options } = this.#context;
    try {
      const nowMs = options.timers.monotonicMs();
      const problem = clock.measure('nsApply', () => faultOf(frame) ?? holder.onFrame(stream, frame, nowMs));
      if (problem !== null) {
        const { session, shard } = stream.id.from;
        options.logger.warn('a record stream is ended: its sender breaks the protocol', { session, shard, problem });
        this.#end(stream, problem);
      } else if (!options.job.inputs.includes(frame.topic)) this.#tellOf(frame.topic, stream.id.from);
      this.#context.wake();
    } catch (error) {
      this.#context.fail(error);
    }
  }

  /** Once a topic: it goes on until one of the two versions of the job is gone. */
  #tellOf(topic: string, { session, shard }: ShardRef): void {
    if (this.#toldOf.has(topic) || this.#toldOf.size === toldOfMax) return;
    this.#toldOf.add(topic);
    const text = "records of a topic that this node's job does not read are refused: which nodes run another version?";
    this.#context.options.logger.warn(text, { topic, session, shard });
  }

  #end(stream: HolderStream, reason: string): void {
    this.#receivers.get(stream)?.close(reason);
    this.#forget(stream);
  }

  #forget(stream: HolderStream): void {
    this.#context.holder.closeStream(stream);
    this.#receivers.delete(stream);
    this.#context.wake();
  }
}

/** Why a frame is none, without anything of what is in it; null when it is one. Looked at before anything of it is noted or applied. */
function faultOf({ number, block, baseOffset, count }: Frame): string | null {
  try {
    checkBlock(block, baseOffset, count);
    return null;
  } catch (error) {
    if (!(error instanceof RecordBlockError)) throw error;
    return `frame ${number}: ${error.message}`;
  }
}
