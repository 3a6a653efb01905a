import { waitFor } from '../../cluster/support/wait.ts';
import type { Fire } from '../harness/scenario.ts';

/**
 * The leader's disk has just failed. It has to stop by itself, with an error, and another one has to lead; then the disk
 * is mended and it comes back.
 */
export async function diskStopsLeader({ cluster, say, saw }: Fire, leaderId: string, mend: () => void): Promise<void> {
  const leader = cluster.node(leaderId);
  const others = cluster.others(leaderId).map(({ id }) => id);
  // Something to write: the users of a node that dies are granted anew.
  const other = cluster.node(others[0]!);
  await other.signal('SIGKILL');
  other.start();
  await waitFor(`${leaderId} to stop`, 60_000, () => (leader.running ? null : true));
  const lines = leader.output.trimEnd().split('\n').slice(-10);
  const last = lines.at(-1)!.slice(0, 400);
  // The library's own clean-up after a failed write has been seen to free what isn't its own: that ends the process too.
  const isAborted = leader.signalCode === 'SIGABRT' || leader.signalCode === 'SIGSEGV';
  if (leader.exitCode !== 1 && !isAborted)
    throw new Error(`I16: ${leaderId} ended with code ${leader.exitCode}: ${last}`);
  if (!isAborted && !/Raft log|ENOSPC|No space left/.test(lines.join('\n')))
    throw new Error(`I16: ${leaderId} ended, and not for its disk: ${last}`);
  say(`it stopped: ${last}`);
  saw('stopped');
  await cluster.inStatus('another leader', (status) => others.includes(status.cluster.leader ?? ''), 30_000, others);
  mend();
  leader.start();
  await cluster.whole();
}
