import { delay, type Timers } from '@holdfast/engine';
import type { Logger } from '@holdfast/model';
import { ServiceError } from './service-error.ts';

/** What opening a log or store needs of its thread. */
export interface ServiceEnvironment {
  readonly timers: Timers;
  readonly logger: Logger;
  /** Told what is waited for, and null once it is there. */
  readonly onWaiting?: (what: string | null) => void;
  /** Aborted: the node is asked to stop. */
  readonly stop?: AbortSignal;
  /**
   * Whether to wait for ever, also for a service that refuses this node now: it was there and took it at the node's start,
   * and giving up would only restart the node.
   */
  readonly isPatient?: boolean;
}

/** One try at a service: there, or why not yet. What can't pass is thrown. */
export type Reached<T> = { readonly service: T } | { readonly why: string };

interface Closable {
  close(): unknown;
}

const firstPauseMs = 200;
const pauseMsMax = 5_000;

/**
 * Tries until the service is there, with growing pauses; the log tells of each try. A stop ends the waiting even where a
 * try hangs: what comes of that one later is closed.
 * @param name with its addresses
 * @throws ServiceError `code` once `deadlineMs` is over; START_INTERRUPTED; what `attempt` throws
 */
export async function untilReached<T extends Closable>(
  { timers, logger, onWaiting, stop, isPatient = false }: ServiceEnvironment,
  what: { readonly name: string; readonly code: 'LOG_UNREACHABLE' | 'STORE_UNREACHABLE'; readonly deadlineMs: number },
  attempt: () => Promise<Reached<T>>,
): Promise<T> {
  const { name, code, deadlineMs } = what;
  const endMs = isPatient ? Number.POSITIVE_INFINITY : timers.monotonicMs() + deadlineMs;
  const stopped = stopOf(stop);
  const interrupted = () => new ServiceError('START_INTERRUPTED', `stopped while waiting for ${name}`);
  try {
    for (let tries = 1, pauseMs = firstPauseMs; ; tries++, pauseMs = Math.min(pauseMs * 2, pauseMsMax)) {
      const trying = isPatient ? patiently(attempt) : attempt();
      const reached = await Promise.race([trying, stopped.promise]);
      if (reached === undefined) {
        closeLate(trying);
        throw interrupted();
      }
      if ('service' in reached) {
        if (tries > 1) logger.info('reached', { service: name, tries });
        return reached.service;
      }
      const { why } = reached;
      const leftMs = endMs - timers.monotonicMs();
      if (leftMs <= 0) {
        const text = `${name} is not reached after ${deadlineMs / 1000} s and ${tries} tries: ${why}`;
        throw new ServiceError(code, text);
      }
      const waitMs = Math.min(pauseMs, leftMs);
      logger.warn('not reached yet', {
        service: name,
        why,
        tries,
        retryInMs: Math.round(waitMs),
        leftMs: isPatient ? null : Math.round(leftMs),
      });
      onWaiting?.(`${name}: ${why}`);
      await Promise.race([delay(timers, waitMs), stopped.promise]);
      if (stop?.aborted) throw interrupted();
    }
  } finally {
    stopped.forget();
    onWaiting?.(null);
  }
}

async function patiently<T>(attempt: () => Promise<Reached<T>>): Promise<Reached<T>> {
  try {
    return await attempt();
  } catch (error) {
    if (error instanceof ServiceError) return { why: error.message };
    throw error;
  }
}

/** One listener for all tries: a patient waiting may take thousands. */
function stopOf(stop: AbortSignal | undefined): { readonly promise: Promise<undefined>; readonly forget: () => void } {
  let onAbort!: () => void;
  const promise = new Promise<undefined>((resolve) => {
    onAbort = () => resolve(undefined);
  });
  if (stop?.aborted) onAbort();
  else stop?.addEventListener('abort', onAbort, { once: true });
  return { promise, forget: () => stop?.removeEventListener('abort', onAbort) };
}

/** Nobody waits for it any more: its failure says nothing either. */
function closeLate(trying: Promise<Reached<Closable>>): void {
  trying.then((reached) => ('service' in reached ? reached.service.close() : undefined)).catch(() => undefined);
}
