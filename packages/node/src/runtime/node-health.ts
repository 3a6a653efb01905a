import type { ControlPlane } from '@holdfast/engine';
import type { HealthCheck } from '@holdfast/telemetry';
import type { ServiceReport, ServicesReport } from '../status/node-report.ts';

/** What the probes look at; null before it is there. */
export interface HealthFacts {
  readonly control: ControlPlane | null;
  readonly isStarted: boolean;
  readonly isStopping: boolean;
  /** A log or store that isn't there yet, and why. */
  readonly waitingFor: string | null;
  /** Whether log and store answer; null before they are open. */
  readonly services: ServicesReport | null;
}

/**
 * The conditions behind `/startupz`, `/livez` and `/readyz`. Being alive asks for nothing but an answer: an outage of log
 * or store would otherwise have every node restarted, which heals none of them.
 */
export function healthChecks(facts: () => HealthFacts) {
  const started = (): HealthCheck[] => {
    const { isStarted, waitingFor } = facts();
    const waiting = waitingFor === null ? 'starting' : `waiting for ${waitingFor}`;
    return [{ name: 'started', ok: isStarted, text: isStarted ? 'data opened, listening' : waiting }];
  };
  const live = (): HealthCheck[] => [{ name: 'loop', ok: true, text: 'the control loop turns' }];
  const ready = (): HealthCheck[] => {
    const { control, isStopping, services } = facts();
    const leader = control?.leadership.leader ?? null;
    const holds = control !== null && control.session !== null;
    return [
      ...started(),
      { name: 'serving', ok: !isStopping, text: isStopping ? 'draining' : 'not draining' },
      { name: 'leader', ok: leader !== null, text: leader ?? 'none known' },
      { name: 'session', ok: holds, text: holds ? 'may hold leases' : 'may not hold anything now' },
      ...(services === null ? [] : serviceChecks(services)),
    ];
  };
  return { started, live, ready };
}

function serviceChecks(services: ServicesReport): HealthCheck[] {
  return (['log', 'store'] as const).map((name) => {
    return { name, ok: services[name].awayMs === null, text: describeService(services[name]) };
  });
}

/** For an operator, in a few words. */
export function describeService({ awayMs, why }: ServiceReport): string {
  if (awayMs === null) return 'answers';
  return `no answer for ${Math.round(awayMs / 1000)}s${why === null ? '' : `: ${why}`}`;
}
