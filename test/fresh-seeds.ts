import { execFileSync } from 'node:child_process';

/** Far more than any run takes, and below what a seed may be. */
const seedsBits = 28;

/**
 * The first seed of simulations of a commit: others for each commit, so that a year of runs tries more than a year of the
 * same, and the same again for the same commit.
 * @param commit in hex, as git has it
 */
export function firstSeedOf(commit: string): number {
  return 1 + Number.parseInt(commit.slice(0, seedsBits / 4), 16);
}

/** The commit that is checked out at `folder`; null where git can't tell. */
export function commitAt(folder: string): string | null {
  try {
    const text = execFileSync('git', ['rev-parse', 'HEAD'], { cwd: folder, stdio: ['ignore', 'pipe', 'ignore'] });
    const commit = text.toString().trim();
    return /^[0-9a-f]{40,}$/.test(commit) ? commit : null;
  } catch {
    return null;
  }
}
