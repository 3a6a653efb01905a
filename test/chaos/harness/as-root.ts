import { spawnSync } from 'node:child_process';

/**
 * Runs this very command as root where that needs no password and this user isn't root: namespaces need it, and CI's
 * user may. @returns its exit code; null: nothing was run
 */
export function runAgainAsRoot(): number | null {
  if (process.platform !== 'linux' || process.getuid?.() === 0) return null;
  if (spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status !== 0) return null;
  const env = ['PATH', 'CI', 'TMPDIR'].flatMap((name) => (process.env[name] ? [`${name}=${process.env[name]}`] : []));
  const command = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  return spawnSync('sudo', ['-n', 'env', ...env, ...command], { stdio: 'inherit' }).status ?? 1;
}
