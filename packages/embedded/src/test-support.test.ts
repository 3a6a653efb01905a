import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '@holdfast/model';

export const systemClock: Clock = { monotonicMs: () => performance.now(), wallUnixMs: () => Date.now() };

/** A new folder, and how to remove it. */
export function temporaryFolder(): { dir: string; remove: () => void } {
  const dir = mkdtempSync(join(tmpdir(), 'holdfast-embedded-'));
  return { dir, remove: () => rmSync(dir, { recursive: true, force: true }) };
}
