import { readdirSync, readFileSync } from 'node:fs';

/** One thread of this process, as the kernel sees it. */
export interface ThreadState {
  readonly name: string;
  /** R: it runs, in a loop if it answers nobody; S or D: it waits. */
  readonly state: string;
  /** The kernel's function that it waits in, `futex_do_wait` for a lock; `0` while it runs. */
  readonly waitsIn: string;
  /** User and system time so far, in ticks of the kernel (10 ms). */
  readonly cpuTicks: number;
}

const tasks = '/proc/self/task';

/**
 * Threads whose names begin so: whether one that answers nobody runs or waits tells a loop in a job from a lock or a disk.
 * Linux only; elsewhere there are none.
 */
export function threadStates(prefix: string): ThreadState[] {
  let found: string[];
  try {
    found = readdirSync(tasks);
  } catch {
    return [];
  }
  return found.flatMap((task) => {
    try {
      return stateOf(`${tasks}/${task}`, prefix);
    } catch {
      // It has ended since.
      return [];
    }
  });
}

function stateOf(folder: string, prefix: string): ThreadState[] {
  const read = (file: string): string => readFileSync(`${folder}/${file}`, 'utf8').trim();
  const name = read('comm');
  if (!name.startsWith(prefix)) return [];
  // The name comes before, in parentheses, and may have any character.
  const stat = read('stat');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const cpuTicks = Number(fields[11]) + Number(fields[12]);
  return [{ name, state: fields[0]!, waitsIn: read('wchan'), cpuTicks }];
}
