import type { UserDocument } from '@holdfast/node';
import { formatAge, formatCount } from '../render/figures.ts';
import { printable } from '../render/printable.ts';

/** One user as lines: where it lives, who says so, how fresh it is, what its job shows, and who held it before. Pure. */
export function renderUser(document: UserDocument, withHistory = false): string[] {
  const { holder, backup } = document;
  const epoch = document.leaseEpoch === null ? '' : `  epoch ${document.leaseEpoch}`;
  const where =
    holder === null
      ? 'no holder'
      : `holder ${holder.node}/${holder.shard}${holder.addr === null ? '' : ` (${holder.addr})`}`;
  const lines = [`${document.user}  ${where}${epoch}  unit ${document.unit}`];
  const how = document.consistency === 'leader' ? 'linearizable' : 'as it knows, perhaps late';
  const index = document.index === null ? '' : ` at index ${document.index}`;
  const who =
    document.via === null ? 'read from the data folder, no node asked' : `answered by ${document.via}${index}, ${how}`;
  lines.push(`${who}; ${sourceText(document)}`);
  if (document.quarantined) {
    lines.push('QUARANTINED  its records become dead letters until: holdfast user release KEY');
  }
  const age = backup.ageMs === null ? 'none yet' : `${formatAge(backup.ageMs)} old`;
  const applied = Object.entries(document.applied).map(
    ([partition, offset]) => `${shortPartition(partition)}@${offset}`,
  );
  const position = applied.length === 0 ? '' : `  applied ${applied.join(' ')}`;
  lines.push(`${document.job}  backup ${age}${backup.dirty ? ', changed since' : ''}${position}`);
  if (document.stateError !== null) lines.push(`  its state can't be shown: ${document.stateError}`);
  else if (document.state === null) lines.push('  no state yet');
  else lines.push(...stateLines(document.state));
  if (withHistory) lines.push(historyLine(document));
  return lines.map(printable);
}

/** Oldest first; ages by the clock of who answered. */
function historyLine({ history, at }: UserDocument): string {
  if (history.length === 0) return 'history  nothing that this node remembers';
  const changes = history.map((change) => {
    const age = change.at === null ? '' : `, ${formatAge(Date.parse(at) - Date.parse(change.at))} ago`;
    return `${change.node ?? '?'}/${change.shard} @${change.index} (${change.how}${age})`;
  });
  return `history  ${changes.join(' > ')}`;
}

function sourceText({ source, stale, holder }: UserDocument): string {
  if (source === 'holder') return 'state from its holder';
  const why = holder === null ? '' : whyNotByHolder(holder);
  return `state from backup${why}${stale ? ', may be stale' : ''}`;
}

function whyNotByHolder({ reachable, error }: NonNullable<UserDocument['holder']>): string {
  if (reachable) return error === null ? '' : ` (its holder can't show it: ${error})`;
  return ` (holder unreachable${error === null ? '' : `: ${error}`})`;
}

/** Topic ids are long; their beginning tells them apart. */
function shortPartition(partition: string): string {
  const slash = partition.lastIndexOf('/');
  return `${partition.slice(0, Math.min(8, slash))}${partition.slice(slash)}`;
}

/** Plain figures on one line; each list on its own, entry by entry. */
function stateLines(state: unknown): string[] {
  if (typeof state !== 'object' || state === null || Array.isArray(state)) return [`  ${JSON.stringify(state)}`];
  const figures: string[] = [];
  const lists: string[] = [];
  for (const [name, value] of Object.entries(state)) {
    if (name === 'user') continue;
    if (typeof value === 'number') figures.push(`${name} ${formatCount(value)}`);
    else if (Array.isArray(value)) lists.push(...listLines(name, value));
    else if (typeof value === 'object' && value !== null) lists.push(`  ${name} ${JSON.stringify(value)}`);
    else figures.push(`${name} ${value === null ? '-' : String(value)}`);
  }
  return figures.length === 0 ? lists : [`  ${figures.join('  ')}`, ...lists];
}

function listLines(name: string, values: readonly unknown[]): string[] {
  if (values.length === 0) return [];
  if (values.every((value) => typeof value !== 'object')) return [`  ${name} ${values.join(', ')}`];
  return [`  ${name}`, ...values.map((value) => `    ${entryText(value)}`)];
}

function entryText(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  return Object.entries(value)
    .map(
      ([name, inner]) =>
        `${name} ${inner === null ? '-' : typeof inner === 'object' ? JSON.stringify(inner) : String(inner)}`,
    )
    .join('  ');
}
