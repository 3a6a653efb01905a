import type { LeaderProblem, ServicesReport } from './node-report.ts';

export const leaderReasonCodes = ['TOPIC_UNUSABLE', 'STORE_REFUSED'] as const;
type LeaderReasonCode = (typeof leaderReasonCodes)[number];

/** Calls fail for a moment now and then: while a broker restarts, a leader of the log changes. */
const failedAfterMs = 15_000;

const refusedTexts: Readonly<Record<string, string>> = {
  FORMER_GENERATION:
    'the store that answers was given up for its successor, and lacks what that one got: nothing is backed up to it; ' +
    'if it is the one that stays, empty it: holders write back what they hold, the rest is read again',
};

/**
 * What the leader can't do, as reasons.
 * @param services the leader's own: a service that doesn't answer has a reason already
 */
export function leaderReasons(
  problems: readonly LeaderProblem[],
  services: ServicesReport | null,
): { readonly code: LeaderReasonCode; readonly text: string }[] {
  return problems.flatMap((problem) => {
    const service = problem.about === 'store' ? services?.store : services?.log;
    const isPassing = problem.sinceMs < failedAfterMs || (service?.awayMs ?? null) !== null;
    if (problem.code === 'FAILED' && isPassing) return [];
    return [problem.topic === null ? storeReason(problem) : topicReason(problem, problem.topic)];
  });
}

function storeReason({ code, text }: LeaderProblem) {
  return { code: 'STORE_REFUSED', text: refusedTexts[code] ?? `the store can't be used: ${text}` } as const;
}

function topicReason({ code, text }: LeaderProblem, topic: string) {
  return { code: 'TOPIC_UNUSABLE', text: topicText(code, text, topic) } as const;
}

function topicText(code: string, text: string, topic: string): string {
  if (code === 'TOPIC_MISSING')
    return `there is no topic ${topic}: nothing is read from it; create it (on the embedded log: holdfast topic feed), or mend job.input`;
  if (code === 'TOPIC_CHANGED') {
    return `topic ${topic} was deleted and made anew: nothing is read from it; if that was meant: holdfast topic replace ${topic}`;
  }
  return `topic ${topic} can't be used: ${text}`;
}
