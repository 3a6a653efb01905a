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
  /** Whether to wait for ever: what was there at the node's start comes back, and giving up would only restart the node. */
  readonly isPatient?: boolean;
}

/** One try at a service: there, or why not yet. What can't pass is thrown. */
export type Reached<T> = { readonly service: T } | { readonly why: string };

const firstPauseMs = 200;
const pauseMsMax = 5_000;

/**
 * Tries until the service is there, with growing pauses; the log tells of each try.
 * @param name with its addresses
 * @throws ServiceError `code` once `deadlineMs` is over; START_INTERRUPTED; what `attempt` throws
 */
export async function untilReached<T>(
  { timers, logger, onWaiting, stop, isPatient = false }: ServiceEnvironment,
  what: { readonly name: string; readonly code: 'LOG_UNREACHABLE' | 'STORE_UNREACHABLE'; readonly deadlineMs: number },
  attempt: () => Promise<Reached<T>>,
): Promise<T> {
  const { name, code, deadlineMs } = what;
  const endMs = isPatient ? Number.POSITIVE_INFINITY : timers.monotonicMs() + deadlineMs;
  try {
    for (let tries = 1, pauseMs = firstPauseMs; ; tries++, pauseMs = Math.min(pauseMs * 2, pauseMsMax)) {
      const reached = await attempt();
      if ('service' in reached) {
        if (tries > 1) logger.info('reached', { service: name, tries });
        return reached.service;
      }
      const { why } = reached;
      const leftMs = endMs - timers.monotonicMs();
      if (leftMs <= 0) {
        const text = `${name} is not reached after ${Math.round(deadlineMs / 1000)} s and ${tries} tries: ${why}`;
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
      await Promise.race([delay(timers, waitMs), aborted(stop)]);
      if (stop?.aborted) throw new ServiceError('START_INTERRUPTED', `stopped while waiting for ${name}`);
    }
  } finally {
    onWaiting?.(null);
  }
}

function aborted(stop: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (stop?.aborted) resolve();
    else stop?.addEventListener('abort', () => resolve(), { once: true });
  });
}
