import type { StatusNode } from '@holdfast/node';
import { formatAge, formatCount, formatRate } from '../render/figures.ts';
import { printable } from '../render/printable.ts';
import { renderTable } from '../render/table.ts';

/** Where a node stands, in a word or two. */
function stateOf(node: StatusNode): string {
  if (!node.reachable) return `unreachable${node.error === null ? '' : ` (${node.error})`}`;
  if (node.session.id === null) return 'no session';
  return node.draining ? 'draining' : 'up';
}

function raftOf({ id, raft }: StatusNode, leader: string | null): string {
  return id === leader ? 'leader' : (raft.role ?? '?');
}

/** A line per node. Pure. */
export function renderNodes(nodes: readonly StatusNode[], leader: string | null): string[] {
  const header = ['NODE', 'ADDR', 'RAFT', 'LEASES', 'VERSION', 'UP', 'STATE'];
  const rows = nodes.map((node) => [
    node.id,
    node.addr,
    node.reachable ? raftOf(node, leader) : '?',
    formatCount(node.leases.count),
    node.version ?? '-',
    formatAge(node.upMs),
    stateOf(node),
  ]);
  return renderTable(header, rows);
}

/** A line per fact, and one per shard. Pure. */
export function renderNode(node: StatusNode, leader: string | null): string[] {
  const facts: readonly (readonly [string, string])[] = [
    ['node', node.id],
    ['address', node.addr],
    ['state', stateOf(node)],
    ['gossip', node.member ?? '?'],
    ['raft', node.reachable ? raftOf(node, leader) : '?'],
    ['trails', formatCount(node.raft.trails)],
    ['session', node.session.id ?? '-'],
    ['leases', formatCount(node.leases.count)],
    ['records/s', formatRate(node.recPerSec)],
    ['version', node.version ?? '-'],
    ['up', formatAge(node.upMs)],
  ];
  const shards = node.shards.map(
    ({ index, address, leases, partitions }) =>
      [
        `shard ${index}`,
        `${address ?? '-'}, ${formatCount(leases)} leases, reads ${partitions.join(' ') || 'nothing'}`,
      ] as const,
  );
  const width = Math.max(...[...facts, ...shards].map(([name]) => name.length));
  return [...facts, ...shards].map(([name, value]) => `${name.padEnd(width)}  ${printable(value)}`);
}
