import type { StatusDocument, StatusNode, StatusShard } from '@holdfast/node';
import type { Io } from '../io.ts';
import { formatAge, formatBytes, formatCount, formatMs, formatRate, formatSeconds } from '../render/figures.ts';
import { printable } from '../render/printable.ts';
import { renderTable } from '../render/table.ts';

export interface RenderOptions {
  /** A row per shard below each node. */
  readonly wide: boolean;
  readonly style: Io['style'];
}

const header = [
  'NODE',
  'ADDR',
  'MEMBER',
  'RAFT',
  'TRAILS',
  'LEASES',
  'REC/S',
  'FWD/S',
  'QUEUE',
  'LOOP-P99',
  'CPU',
  'RSS',
  'BACKUP',
  'VERSION',
  'UP',
  '',
];

/** The status document as lines. Pure: the same document gives the same lines. */
export function renderStatus(status: StatusDocument, options: RenderOptions): string[] {
  const { cluster, ingest, backup } = status;
  const colour = { ok: 'green', degraded: 'yellow', unhealthy: 'red' } as const;
  const health = options.style(colour[cluster.health], cluster.health.toUpperCase());
  const id = cluster.id === null ? '' : ` ${cluster.id.slice(0, 6)}`;
  const reasons = cluster.reasons.map(({ node, text }) => (node === null ? text : `${node} ${text}`)).join('; ');
  const leader =
    cluster.leader === null
      ? 'no leader'
      : `leader ${cluster.leader} (term ${cluster.term ?? '-'}, ${formatAge(cluster.leaderSinceMs)})`;
  const figures = [
    leader,
    `quorum ${cluster.quorum.reachable}/${cluster.quorum.voters}`,
    `in ${formatRate(ingest.recordsPerSec)} rec/s`,
    `lag ${formatCount(ingest.lagRecords)} rec ${formatSeconds(ingest.lagSeconds)}`,
    `oldest backup ${formatAge(backup.oldestAgeMs)}`,
  ];
  return [
    `${options.style('bold', printable(cluster.name))}${printable(id)}  ${health}${reasons === '' ? '' : `  ${printable(reasons)}`}`,
    printable(figures.join('  ')),
    ...balancingLine(status.balancing),
    ...renderTable(
      header,
      status.nodes.flatMap((node) => rowsOf(node, cluster.leader, options.wide)),
    ),
  ];
}

const pauseTexts: Readonly<Record<string, string>> = {
  NODE_SILENT: 'a node is silent',
  NODE_UNREACHABLE: 'a node is unreachable',
  NODE_ABSENT: 'a node is away and may come back',
  ROLLOUT: 'a node stops, or versions differ',
  SETTLING: 'nodes have come or gone just now',
};

/** Nothing to say where loads are even and nothing is in the way, or nobody leads. */
function balancingLine(balancing: StatusDocument['balancing']): string[] {
  if (balancing === null) return [];
  const { active, left, pause } = balancing;
  if (pause !== null)
    return [`balancing paused: ${pauseTexts[pause] ?? printable(pause)}${active ? '; loads are uneven' : ''}`];
  return active ? [`balancing: ${formatCount(left)} leases to move in this round`] : [];
}

function rowsOf(node: StatusNode, leader: string | null, wide: boolean): string[][] {
  const name = node.id === leader ? `${node.id}*` : node.id;
  const stale = (text: string) => (text === '-' ? text : `${text}?`);
  if (!node.reachable) {
    const leases = stale(formatCount(node.leases.count));
    const backup = stale(formatAge(node.backupAgeMs));
    const gone = ['-', '-', '-', '-', '-', '-'];
    return [
      [
        name,
        node.addr,
        node.member ?? '?',
        '?',
        '?',
        leases,
        ...gone,
        backup,
        node.version ?? '-',
        '-',
        [node.draining ? 'draining' : '', node.error ?? ''].filter((part) => part !== '').join('; '),
      ],
    ];
  }
  const cpu = node.cpuPercent === null ? '-' : `${Math.round(node.cpuPercent)}%`;
  const leases = formatCount(node.leases.count);
  const row = [
    name,
    node.addr,
    node.member ?? '-',
    node.raft.role ?? '-',
    formatCount(node.raft.trails),
    node.leases.stale ? stale(leases) : leases,
    formatRate(node.recPerSec),
    formatRate(node.fwdPerSec),
    formatCount(node.queue),
    formatMs(node.loopP99Ms),
    cpu,
    formatBytes(node.rssBytes),
    formatAge(node.backupAgeMs),
    node.version ?? '-',
    formatAge(node.upMs),
    node.draining ? 'draining' : '',
  ];
  if (!wide) return [row];
  const shards = node.shards.map((shard) => [
    `  ${node.id}/${shard.index}`,
    shard.address ?? '-',
    '',
    '',
    '',
    formatCount(shard.leases),
    formatRate(shard.recPerSec),
    formatRate(shard.fwdPerSec),
    formatCount(shard.queue),
    '',
    '',
    '',
    formatAge(shard.backupAgeMs),
    '',
    '',
    shardText(shard),
  ]);
  return [row, ...shards];
}

/** What a shard reads, what it hands over, and who keeps it busy. */
function shardText({ partitions, handOverLeft, hot }: StatusShard): string {
  const parts = [partitions.length === 0 ? 'reads nothing' : `reads ${partitions.join(' ')}`];
  if (handOverLeft > 0) parts.push(`hands over ${formatCount(handOverLeft)}`);
  const [hottest] = hot;
  if (hottest !== undefined) {
    parts.push(`hottest ${hottest.user ?? hottest.unit} ${formatRate(hottest.recPerSec)}/s`);
  }
  return parts.join(', ');
}
