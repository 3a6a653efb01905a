import type { Logger } from '@holdfast/model';
import { threadStacks } from './thread-stacks.ts';
import { threadStates } from './thread-states.ts';

const names = 'shard-';
const answerMs = 1_000;

/** Logs in the midst of what the shards' threads are that do not end: whoever wrote the job, or we, have to find out why. */
export async function tellOfStuckShards(logger: Logger): Promise<void> {
  const states = new Map(threadStates(names).map(({ name, ...state }) => [name, state] as const));
  const stacks = await threadStacks(names, answerMs);
  const threads = [...new Set([...states.keys(), ...stacks.keys()])].map((name) => {
    return { name, ...states.get(name), stack: stacks.get(name) ?? 'none: in native code or a system call' };
  });
  logger.error('a shard does not end', { threads });
}
