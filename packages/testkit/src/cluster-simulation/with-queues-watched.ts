import { Holder, Ingest } from '@holdfast/processor';
import type { FullQueues } from './checkers/full-queues.ts';

/** Runs `act` while a checker looks at the queues of all ingests and holders, before and after each call that fills them. */
export async function withQueuesWatched<T>(queues: FullQueues, act: () => Promise<T>): Promise<T> {
  const { route } = Ingest.prototype;
  const { onFrame } = Holder.prototype;
  Ingest.prototype.route = function (this: Ingest, reading, number, batch, row, locator, nowMs) {
    const recordBytes = (): number => {
      let most = 0;
      for (let i = 0; i < batch.count; i++) {
        const valueBytes = Math.max(0, batch.valueEnds[i]! - batch.valueStarts[i]!);
        // The job's keys are a part of the value; in letters the record's own is.
        most = Math.max(most, 2 * valueBytes, valueBytes + batch.keyEnds[i]! - batch.keyStarts[i]!);
      }
      return most;
    };
    return queues.route(this, recordBytes, () => route.call(this, reading, number, batch, row, locator, nowMs));
  };
  Holder.prototype.onFrame = function (this: Holder, stream, frame, nowMs) {
    return queues.takeFrame(this.outputs, () => onFrame.call(this, stream, frame, nowMs));
  };
  try {
    return await act();
  } finally {
    Ingest.prototype.route = route;
    Holder.prototype.onFrame = onFrame;
  }
}
