import type { LeaseCommand, LeaseDecision, LeaseRecord } from '@holdfast/lease';
import { errorText, type Logger } from '@holdfast/model';
import type { Log } from '../ports/log.ts';
import type { Timers } from '../ports/timers.ts';
import type { LeaderReply } from './calls.ts';
import type { LeaderProblems } from './leader-problems.ts';

export interface LeaderTopicsOptions {
  /** Input topics of the jobs. */
  readonly topics: readonly string[];
  readonly log: Pick<Log, 'describe'>;
  readonly logger: Logger;
  readonly timers: Timers;
  readonly problems: LeaderProblems;
  readonly isOver: () => boolean;
  readonly decide: (command: LeaseCommand) => LeaseDecision;
  readonly propose: (records: readonly LeaseRecord[]) => Promise<number>;
}

const refusal = (text: string): LeaderReply => ({ code: 'REFUSED', reason: 'BAD_REQUEST', text });

/** Looks after the topics of one leadership: has their partitions known, and says of which it can't. */
export class LeaderTopics {
  readonly #options: LeaderTopicsOptions;
  #busy = false;

  constructor(options: LeaderTopicsOptions) {
    this.#options = options;
  }

  /** Looks at all of them; false when an earlier look is still under way. */
  async look(): Promise<boolean> {
    if (this.#busy) return false;
    this.#busy = true;
    try {
      for (const topic of this.#options.topics) await this.#lookAt(topic, false);
    } finally {
      this.#busy = false;
    }
    return true;
  }

  /** An operator consents to a topic made anew. OK has the index, and a text where nothing had to be done. */
  async replace(topic: string): Promise<LeaderReply> {
    const { topics } = this.#options;
    if (topics.includes(topic)) return this.#lookAt(topic, true);
    return refusal(`the job reads no topic ${topic}; its input: ${topics.join(', ')}`);
  }

  async #lookAt(topic: string, replace: boolean): Promise<LeaderReply> {
    const { log, decide, propose, isOver, problems, logger } = this.#options;
    const about = { about: 'topic', topic } as const;
    try {
      const found = await log.describe(topic);
      if (isOver()) return { code: 'RETRY', text: 'the leader has changed' };
      if (found === null) {
        const text = `there is no topic ${topic}`;
        if (this.#begin('TOPIC_MISSING', topic, text)) {
          logger.error('there is no such topic: nothing is read from it', { topic });
        }
        return refusal(text);
      }
      const { topicId, partitions } = found;
      const decision = decide({ kind: 'reportTopic', topic, topicId, partitions, replace });
      if (!decision.ok) {
        const text = JSON.stringify(decision.refusal);
        if (this.#begin(decision.refusal.code, topic, text))
          logger.error('topic refused', { topic, ...decision.refusal });
        return refusal(text);
      }
      if (problems.end(about)) logger.info('the topic can be read again', { topic });
      const index = await propose(decision.records);
      const text = decision.records.length === 0 ? `topic ${topic} is the one that is read: nothing to replace` : null;
      return { code: 'OK', index, text } as LeaderReply;
    } catch (error) {
      if (this.#begin('FAILED', topic, errorText(error))) logger.warn('topic not known', { topic, err: error });
      return { code: 'RETRY', text: errorText(error) };
    }
  }

  #begin(code: string, topic: string, text: string): boolean {
    const { problems, timers } = this.#options;
    return problems.begin({ about: 'topic', topic, code, text }, timers.monotonicMs());
  }
}
