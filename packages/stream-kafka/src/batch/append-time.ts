/**
 * When a record was appended, as far as is known; NaN: it has no time. With CreateTime, the brokers' default, a record's
 * time is its producer's word, and one that lies ahead of this machine's clock can't be when it was appended: the record
 * has been read already. The broker's own time (LogAppendTime) is believed.
 */
export function appendTimeOf(timeUnixMs: number, isBrokerTime: boolean, nowUnixMs: number): number {
  if (timeUnixMs < 0) return Number.NaN;
  return isBrokerTime ? timeUnixMs : Math.min(timeUnixMs, nowUnixMs);
}
