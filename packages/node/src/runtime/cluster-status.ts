import type { ControlPlane, PeerTransport } from '@holdfast/engine';
import { decodeUtf8, encodeUtf8, type NodeId } from '@holdfast/model';
import type { NodeConfig } from '../config/node-config.ts';
import { checkedReport } from '../status/checked-report.ts';
import { knownNodes } from '../status/known-nodes.ts';
import type { NodeAnswer, NodeReport } from '../status/node-report.ts';
import type { StatusDocument } from '../status/status-document.ts';
import { statusView } from '../status/status-view.ts';
import type { NodeReporter } from './node-reporter.ts';

/** The call by which nodes ask each other for their reports. */
export const reportMethod = 'node.report';
const reportDeadlineMs = 1_000;
/** How long an answer may wait for a leader's confirmation before it is given as this node sees things. */
const barrierDeadlineMs = 500;

/** Gathers every node's report; one that doesn't answer, or whose report makes no sense, is a row with its error and what it said last. */
export class ClusterStatus {
  readonly #config: NodeConfig;
  readonly #control: ControlPlane;
  readonly #transport: PeerTransport;
  readonly #reporter: NodeReporter;
  readonly #clusterId: string;
  readonly #last = new Map<string, NodeReport>();

  constructor(
    config: NodeConfig,
    control: ControlPlane,
    transport: PeerTransport,
    reporter: NodeReporter,
    clusterId: string,
  ) {
    this.#config = config;
    this.#control = control;
    this.#transport = transport;
    this.#reporter = reporter;
    this.#clusterId = clusterId;
  }

  /** Answers `reportMethod`. */
  readonly onReport = async (): Promise<Uint8Array> => encodeUtf8(JSON.stringify(this.#reporter.report()));

  async document(): Promise<StatusDocument> {
    const consistency = await this.confirm();
    const own = this.#reporter.report();
    const { raft, table } = this.#control.status();
    const ids = knownNodes({
      self: own.id,
      configured: this.#config.peers,
      raft,
      sessions: table.sessions,
      gossip: this.#reporter.members(),
    });
    const answers = await Promise.all(
      [...ids].map(([id, address]): NodeAnswer | Promise<NodeAnswer> =>
        id === own.id ? { ok: true, report: own } : this.#ask(id as NodeId, address),
      ),
    );
    return statusView({
      atUnixMs: Date.now(),
      via: own.id,
      consistency,
      clusterId: this.#clusterId,
      clusterName: this.#config.clusterName,
      answers,
      table: this.#reporter.tableFacts(),
      backupIntervalMs: this.#config.backupIntervalMs,
    });
  }

  /** 'leader' once the own table shows everything committed before the call; 'local' when nobody confirms it in time. */
  async confirm(): Promise<'leader' | 'local'> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<'local'>((resolve) => {
      timer = setTimeout(() => resolve('local'), barrierDeadlineMs);
    });
    const confirmed = this.#control.barrier().then(
      () => 'leader' as const,
      () => 'local' as const,
    );
    try {
      return await Promise.race([confirmed, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  async #ask(id: NodeId, address: string): Promise<NodeAnswer> {
    try {
      const bytes = await this.#transport.call(id, reportMethod, new Uint8Array(), reportDeadlineMs);
      const report = checkedReport(JSON.parse(decodeUtf8(bytes) ?? ''), id);
      this.#last.set(id, report);
      return { ok: true, report };
    } catch (error) {
      return { ok: false, id, address, error: (error as Error).message, last: this.#last.get(id) ?? null };
    }
  }
}
