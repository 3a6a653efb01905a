import { decodeRecords } from '@holdfast/lease';
import { callsOf, type History } from './read-history.ts';

/** Commits that a shard began when its session's end was applied by some other node already. */
export function commitsAfterTheEnd(history: History): string[] {
  const sessionOf = new Map<number, number>();
  const endUs = new Map<number, number>();
  for (const { thread, event } of history.events) {
    if (event.k === 'session') sessionOf.set(thread, event.session);
    if (event.k !== 'entry' || event.data === '') continue;
    for (const record of decodeRecords(new Uint8Array(Buffer.from(event.data, 'base64'))))
      if (record.kind === 'sessionEnded' && !endUs.has(record.session)) endUs.set(record.session, event.t);
  }
  return callsOf(history, 'commit').flatMap(({ thread, asked }) => {
    const session = sessionOf.get(thread);
    const overUs = session === undefined ? undefined : endUs.get(session);
    if (overUs === undefined || asked.t <= overUs) return [];
    return [
      `session ${session} commits ${asked.commits.length} offsets ${Math.round((asked.t - overUs) / 1_000)} ms late`,
    ];
  });
}
