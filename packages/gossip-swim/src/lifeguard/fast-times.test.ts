/** About a fifth of the defaults: real sockets, short tests. */
export const fastTimes = {
  tickMs: 20,
  lateMaxMs: 60,
  probeIntervalMs: 100,
  pingTimeoutMs: 50,
  probeTimeoutMs: 200,
  suspectPingMs: 60,
  suspicionMinMs: 600,
  suspicionMaxMs: 800,
  gossipIntervalMs: 40,
  syncIntervalMs: 300,
  lonelySyncMs: 100,
  leaveRepeatMs: 10,
} as const;
