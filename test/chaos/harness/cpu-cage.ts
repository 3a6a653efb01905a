import { appendFileSync, existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { waitFor } from '../../cluster/support/wait.ts';

const root = '/sys/fs/cgroup';
const periodUs = 100_000;

/** A control group of its own for one process, with a part of a processor. Known to whoever cleans up. */
export class CpuCage {
  readonly #path: string;
  readonly #isV1: boolean;

  /** @param groupsPath the file that lists groups to be removed at the end of the run */
  constructor(name: string, groupsPath: string) {
    this.#isV1 = existsSync(`${root}/cpu/cpu.cfs_quota_us`) || existsSync(`${root}/cpu/cgroup.procs`);
    if (!this.#isV1) writeFileSync(`${root}/cgroup.subtree_control`, '+cpu');
    this.#path = join(this.#isV1 ? `${root}/cpu` : root, name);
    appendFileSync(groupsPath, `${this.#path}\n`);
    mkdirSync(this.#path, { recursive: true });
  }

  /** @param ratio of one processor; null: all that there is */
  hold(pid: number, ratio: number | null): void {
    const quotaUs = ratio === null ? null : Math.round(periodUs * ratio);
    if (this.#isV1) {
      writeFileSync(join(this.#path, 'cpu.cfs_period_us'), `${periodUs}`);
      writeFileSync(join(this.#path, 'cpu.cfs_quota_us'), `${quotaUs ?? -1}`);
    } else writeFileSync(join(this.#path, 'cpu.max'), `${quotaUs ?? 'max'} ${periodUs}`);
    writeFileSync(join(this.#path, 'cgroup.procs'), `${pid}`);
  }

  /** How often the group had to wait. */
  get throttled(): number {
    const stat = readFileSync(join(this.#path, 'cpu.stat'), 'utf8');
    return Number(/nr_throttled (\d+)/.exec(stat)?.[1] ?? 0);
  }
}

/** Removes what the file lists, when its processes are gone: a killed one needs a moment for that. */
export async function removeCages(groupsPath: string): Promise<void> {
  if (!existsSync(groupsPath)) return;
  for (const path of readFileSync(groupsPath, 'utf8').split('\n')) {
    if (!path.startsWith(root) || !existsSync(path)) continue;
    await waitFor(`${path} to be empty`, 10_000, () => {
      try {
        rmdirSync(path);
        return true;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EBUSY') return null;
        throw error;
      }
    });
  }
}
