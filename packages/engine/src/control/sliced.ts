import { delay, type Timers } from '../ports/timers.ts';
import type { StateMachine } from './state-machine.ts';

/** Work that takes long, in slices of a few milliseconds: to be done between other work of the thread. */
export interface Sliced<T> {
  /** One slice more. The result after the last one; null: call again. */
  next(): T | null;
}

/** All slices, each in a turn of the event loop of its own. */
export async function inSlices<T>(work: Sliced<T>, timers: Timers): Promise<T> {
  for (;;) {
    const result = work.next();
    if (result !== null) return result;
    await delay(timers, 0);
  }
}

/** The machine's state as of now, whatever is applied before this resolves. */
export async function snapshotOf(
  machine: Pick<StateMachine, 'snapshot' | 'beginSnapshot'>,
  timers: Timers,
): Promise<Uint8Array> {
  const sliced = machine.beginSnapshot?.();
  return sliced === undefined ? machine.snapshot() : inSlices(sliced, timers);
}

/** Gives the machine another state; nothing may be applied before this resolves. */
export async function restoreMachine(
  machine: Pick<StateMachine, 'restore' | 'beginRestore'>,
  { data, index }: { readonly data: Uint8Array; readonly index: number },
  timers: Timers,
): Promise<void> {
  const sliced = machine.beginRestore?.(data, index);
  if (sliced === undefined) machine.restore(data, index);
  else await inSlices(sliced, timers);
}
