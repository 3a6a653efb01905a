import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { missingPreloads } from '../disk/preload.ts';
import { ChaosNetwork, isInstalled } from '../network/chaos-network.ts';
import type { Need, Scenario } from './scenario.ts';

const missingNeeds: Readonly<Record<Need, () => string | null>> = {
  namespaces: () => {
    installIptables();
    return ChaosNetwork.missing();
  },
  mounts: () =>
    process.platform === 'linux' && process.getuid?.() === 0 ? null : 'mounts of its own need root, on Linux',
  compiler: missingPreloads,
  cgroup: () => {
    if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'control groups need root, on Linux';
    const has =
      existsSync('/sys/fs/cgroup/cpu/cpu.cfs_quota_us') || existsSync('/sys/fs/cgroup/cgroup.subtree_control');
    return has ? null : 'there are no control groups for processors';
  },
};

/** Why the scenario can't run on this machine; null when it can. */
export function missingFor({ needs }: Scenario): string | null {
  if (process.platform === 'win32') return 'Windows has no SIGSTOP';
  for (const need of needs) {
    const missing = missingNeeds[need]();
    if (missing !== null) return missing;
  }
  return null;
}

/** Debian's package, where root has apt-get and it isn't there yet. It starts nothing and sets no rule. */
function installIptables(): void {
  if (process.getuid?.() !== 0 || isInstalled('iptables') || !isInstalled('apt-get')) return;
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  for (const args of [
    ['update', '-q'],
    ['install', '-q', '-y', '--no-install-recommends', 'iptables'],
  ])
    execFileSync('apt-get', args, { stdio: ['ignore', 'ignore', 'inherit'], env, timeout: 300_000 });
}
