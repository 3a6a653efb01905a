import type { StatusDocument } from '@holdfast/node';
import type { Io } from '../io.ts';
import type { ClientOptions } from '../options.ts';
import { printable } from '../render/printable.ts';
import { withCluster } from '../status/fetch-status.ts';

export interface ReplaceOptions extends ClientOptions {
  readonly yes?: boolean;
}

/** Consents to an input topic that was deleted and made anew; without `yes` it only says how that topic stands. */
export function replaceTopic(topic: string, options: ReplaceOptions, io: Io): Promise<void> {
  return withCluster(options, io, async (client) => {
    if (options.yes !== true) {
      io.note(`${printable(standingOf(topic, await client.status()))}\n`);
      io.note('nothing was replaced: say --yes to do it\n');
      return;
    }
    const { text } = await client.act({ kind: 'replaceTopic', topic });
    const done = `replaced: the new ${topic} is read from now on; what was unread in the old one is lost`;
    io.note(`${printable(text ?? done)}\n`);
  });
}

function standingOf(topic: string, { problems }: StatusDocument): string {
  if (problems === null) return `the leader doesn't say how topic ${topic} stands`;
  const problem = problems.find((known) => known.topic === topic);
  if (problem === undefined) return `topic ${topic} has no problem`;
  return problem.code === 'TOPIC_CHANGED'
    ? `topic ${topic} was deleted and made anew: nothing is read from it`
    : `topic ${topic}: ${problem.text}`;
}
