import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compare, type ExportedUser, recount } from '@holdfast/access-anomaly';
import { LmdbBackupStore, LmdbLog, openDataFolder } from '@holdfast/embedded';
import { exportUsers, loadJob, type StatusDocument } from '@holdfast/node';
import { type CertificatePaths, readCertificate } from '../../../packages/transport-grpc/fixtures/authority.ts';
import { NodeProcess } from './node-process.ts';
import { newPeers, type Peer } from './peers.ts';
import { rawRecords } from './raw-records.ts';
import { StatusAsker } from './status-asker.ts';
import { waitFor } from './wait.ts';

const clock = { monotonicMs: () => performance.now(), wallUnixMs: () => Date.now() };
export const inputTopic = 'access-log';
const group = 'access-anomaly';

/** Where nodes are, when not all on loopback: their addresses, and the program that starts another one there. */
export interface NodePlaces {
  readonly peers: readonly Peer[];
  shardsAddress(id: string): string;
  through(id: string): readonly string[];
}

/** Certificates, where the nodes speak TLS. */
export interface ClusterTls {
  of(id: string): CertificatePaths;
  /** Of who asks the nodes for their status. */
  readonly operator: CertificatePaths;
}

export interface ClusterSettings {
  readonly nodes: number;
  /** So many of them, the last ones, aren't among the founders: they know the first node's address, and join. */
  readonly joiners?: number;
  readonly partitions: number;
  readonly mapping?: string;
  /** Further settings of every node, as in its file. */
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly places?: NodePlaces | null;
  readonly tls?: ClusterTls | null;
}

/** A cluster of real processes over one data folder, with the log and store opened beside them. */
export class Cluster {
  readonly dir: string;
  readonly nodes: NodeProcess[];
  readonly addresses: string[];
  readonly log: LmdbLog;
  readonly #mapping: string;
  readonly #asker: StatusAsker;

  private constructor(
    dir: string,
    nodes: NodeProcess[],
    addresses: string[],
    log: LmdbLog,
    mapping: string,
    tls: ClusterTls | null,
  ) {
    this.dir = dir;
    this.nodes = nodes;
    this.addresses = addresses;
    this.log = log;
    this.#mapping = mapping;
    this.#asker = new StatusAsker(nodes, addresses, tls === null ? null : readCertificate(tls.operator));
  }

  static async create({
    nodes: count,
    joiners = 0,
    partitions,
    mapping = 'holdfast',
    settings = {},
    places = null,
    tls = null,
  }: ClusterSettings): Promise<Cluster> {
    const dir = mkdtempSync(join(tmpdir(), 'holdfast-cluster-'));
    const opened = openDataFolder(dir, Date.now());
    if (opened.code !== 'OK') throw new Error(opened.text);
    mkdirSync(join(dir, 'run'));
    // Where nodes aren't on loopback, they refuse to gossip in plain.
    const keys = places === null ? undefined : join(dir, 'run', 'gossip.keys');
    if (keys !== undefined) writeFileSync(keys, `${randomBytes(32).toString('base64')}\n`, { mode: 0o600 });
    const peers = places?.peers ?? (await newPeers(count));
    const founders = peers.slice(0, count - joiners);
    const processes = peers.map((self) => {
      const { id, address, gossip } = self;
      const known = founders.includes(self) ? founders : [peers[0], self];
      const path = join(dir, 'run', `${id}.json`);
      const config = {
        node: { id },
        cluster: { name: 'test', peers: known },
        data: dir,
        listen: { control: address, gossip, shards: places?.shardsAddress(id) ?? '127.0.0.1:0', http: 'off' },
        gossip: { keys },
        tls: tls?.of(id),
        shards: 1,
        job: { mapping },
        ...settings,
      };
      writeFileSync(path, JSON.stringify(config));
      return new NodeProcess(id, path, join(dir, 'run', `${id}.log`), { through: places?.through(id) ?? [] });
    });
    const log = await LmdbLog.open(opened.folder.logPath, clock);
    await log.createTopic(inputTopic, partitions);
    return new Cluster(
      dir,
      processes,
      peers.map(({ address }) => address),
      log,
      mapping,
      tls,
    );
  }

  node(id: string): NodeProcess {
    return this.nodes.find((node) => node.id === id)!;
  }

  /** The status by the first node that answers, of these alone where there are some; null when none does. */
  status(timeoutMs?: number, by?: readonly string[]): Promise<StatusDocument | null> {
    return this.#asker.status(timeoutMs, by);
  }

  /** Committed and end offsets of the input, per partition. */
  async progress(): Promise<{ committed: number[]; ends: number[] }> {
    const info = (await this.log.describe(inputTopic))!;
    const ends = await this.log.endOffsets(inputTopic);
    const commits = ends.map((_, partition) => this.log.committed(group, { topicId: info.topicId, partition }));
    return { committed: (await Promise.all(commits)).map((commit) => commit?.offset ?? 0), ends };
  }

  async waitUntilCommitted(deadlineMs: number): Promise<void> {
    await waitFor(
      'every record to be committed',
      deadlineMs,
      async () => {
        const { committed, ends } = await this.progress();
        return committed.every((offset, i) => offset === ends[i]) || null;
      },
      500,
    );
  }

  /** What the store has, user by user. */
  async exported(): Promise<ExportedUser[]> {
    const store = await LmdbBackupStore.open(join(this.dir, 'store'));
    try {
      const job = await loadJob({ name: 'access-anomaly', inputTopic, mapping: this.#mapping });
      const users: ExportedUser[] = [];
      for await (const user of exportUsers(store, job)) users.push(user as ExportedUser);
      return users;
    } finally {
      await store.close();
    }
  }

  /** The independent recomputation from the raw records of the log. */
  async recounted(): Promise<ReturnType<typeof recount>> {
    return recount(this.#mapping as 'holdfast', await rawRecords(this.log, inputTopic));
  }

  /** The store against the recomputation; of the differences the first few. */
  async compared(): Promise<{ lost: number; duplicates: number; differences: string[] }> {
    const { lost, duplicates, differences } = compare(await this.exported(), await this.recounted());
    return { lost, duplicates, differences: differences.slice(0, 5) };
  }

  /** Ends every process that was started here, by pid, and removes the folder. */
  async dispose(keep = false): Promise<void> {
    this.#asker.close();
    for (const node of this.nodes) {
      await node.signal('SIGCONT');
      await node.signal('SIGKILL');
    }
    await this.log.close();
    if (!keep) rmSync(this.dir, { recursive: true, force: true });
  }
}
