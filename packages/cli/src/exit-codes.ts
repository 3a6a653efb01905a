/** What the program's exit code says. Monitoring has to tell an unhealthy cluster from a command that failed. */
export const exitCodes = {
  ok: 0,
  failed: 1,
  usage: 2,
  notFound: 3,
  timedOut: 4,
  unhealthy: 10,
  degraded: 11,
  interrupted: 130,
} as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];
