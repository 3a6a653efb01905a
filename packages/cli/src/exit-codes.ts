/** What the program's exit code says (operations.md of any monitoring: an unhealthy cluster is no failed command). */
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
