import { execFileSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import type { Peer } from '../../cluster/support/peers.ts';

const subnet = '10.231.7';
const hubHost = 254;
const controlPort = 7_400;
const gossipPort = 7_401;
const shardsPort = 7_410;

/** Runs a program to its end. @throws Error with what it said */
export function run(program: string, ...args: readonly string[]): string {
  return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

/**
 * A network namespace per node, joined by a bridge in a namespace of its own, in which the harness runs. Rules and links
 * are in these namespaces alone; nothing of the machine's own network is ever touched.
 */
export class ChaosNetwork {
  readonly tag: string;
  readonly peers: readonly Peer[];

  /** @param tag begins the names of all namespaces: letters and digits */
  constructor(tag: string, nodes: number) {
    this.tag = tag;
    this.peers = Array.from({ length: nodes }, (_, i) => {
      const host = `${subnet}.${i + 1}`;
      return { id: `n${i + 1}`, address: `${host}:${controlPort}`, gossip: `${host}:${gossipPort}` };
    });
  }

  /** Why there can be none here; null when there can. */
  static missing(): string | null {
    if (process.platform !== 'linux') return 'network namespaces are Linux';
    if (process.getuid?.() !== 0) return 'network namespaces need root';
    for (const [program, pack] of [
      ['ip', 'iproute2'],
      ['tc', 'iproute2'],
      ['nsenter', 'util-linux'],
      ['iptables', 'iptables'],
    ] as const)
      if (!isInstalled(program)) return `${program} is missing (apt-get install ${pack})`;
    const probe = `hfp${process.pid.toString(36)}`;
    try {
      run('ip', 'netns', 'add', probe);
      try {
        run('ip', 'netns', 'exec', probe, 'iptables', '-L', '-n');
      } finally {
        run('ip', 'netns', 'del', probe);
      }
      return null;
    } catch (error) {
      return `network namespaces don't work here: ${(error as Error).message.split('\n').join(' ')}`;
    }
  }

  /** Where nodes listen. */
  readonly ports = { control: controlPort, gossip: gossipPort, records: shardsPort };

  /** The harness's own address. */
  readonly hubHost = `${subnet}.${hubHost}`;

  get hub(): string {
    return `${this.tag}hub`;
  }

  /** Makes all of it. */
  create(): void {
    run('ip', 'netns', 'add', this.hub);
    run('ip', '-n', this.hub, 'link', 'set', 'lo', 'up');
    run('ip', '-n', this.hub, 'link', 'add', 'br0', 'type', 'bridge');
    run('ip', '-n', this.hub, 'addr', 'add', `${subnet}.${hubHost}/24`, 'dev', 'br0');
    run('ip', '-n', this.hub, 'link', 'set', 'br0', 'up');
    for (const { id } of this.peers) {
      const name = this.#nameOf(id);
      run('ip', 'netns', 'add', name);
      run('ip', '-n', name, 'link', 'set', 'lo', 'up');
      run('ip', 'link', 'add', id, 'netns', this.hub, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name);
      run('ip', '-n', this.hub, 'link', 'set', id, 'master', 'br0', 'up');
      run('ip', '-n', name, 'addr', 'add', `${this.hostOf(id)}/24`, 'dev', 'eth0');
      run('ip', '-n', name, 'link', 'set', 'eth0', 'up');
    }
  }

  /** Processes that run in its nodes' namespaces. */
  pids(): number[] {
    return this.peers
      .flatMap(({ id }) => run('ip', 'netns', 'pids', this.#nameOf(id)).split('\n'))
      .filter((line) => line !== '')
      .map(Number);
  }

  /** Removes what is left of it; its links go with their namespaces. */
  remove(): void {
    const names = run('ip', 'netns', 'list')
      .split('\n')
      .map((line) => line.split(' ')[0]!);
    for (const name of [...this.peers.map(({ id }) => this.#nameOf(id)), this.hub])
      if (names.includes(name)) run('ip', 'netns', 'del', name);
  }

  hostOf(id: string): string {
    return `${subnet}.${this.#indexOf(id) + 1}`;
  }

  shardsAddress(id: string): string {
    return `${this.hostOf(id)}:${shardsPort}`;
  }

  /** The program that starts another one in the node's namespace. */
  through(id: string): readonly string[] {
    return ['nsenter', `--net=/run/netns/${this.#nameOf(id)}`, '--'];
  }

  throughHub(): readonly string[] {
    return ['nsenter', `--net=/run/netns/${this.hub}`, '--'];
  }

  // Faults

  /** What `from` sends to `to` is lost, from now on. */
  cutOneWay(from: string, to: string): void {
    this.#filter(to, 'INPUT', '-s', this.hostOf(from), '-j', 'DROP');
  }

  cut(a: string, b: string): void {
    this.cutOneWay(a, b);
    this.cutOneWay(b, a);
  }

  /** The node reaches none of these others, nor they it; the harness still does. */
  isolate(id: string, from = this.peers.map((peer) => peer.id)): void {
    for (const other of from) if (other !== id) this.cut(id, other);
  }

  /** Drops each packet that arrives at the node from other nodes with this chance. */
  lose(id: string, ratio: number): void {
    this.#filter(
      id,
      'INPUT',
      ...['-s', `${subnet}.0/25`, '-m', 'statistic', '--mode', 'random', '--probability', `${ratio}`, '-j', 'DROP'],
    );
  }

  /** What comes for the node at these ports is answered by a reset, and what it has open there ends. */
  reset(id: string, port = `${shardsPort}:${shardsPort + 9}`): void {
    const match = ['-p', 'tcp', '--dport', port, '-j', 'REJECT', '--reject-with', 'tcp-reset'];
    this.#filter(id, 'INPUT', ...match);
  }

  /** Nothing of record streams passes between the two, either way; everything else does. */
  silenceShards(a: string, b: string): void {
    for (const [at, from] of [
      [a, b],
      [b, a],
    ] as const)
      for (const side of ['--dport', '--sport'])
        this.#filter(
          at,
          'INPUT',
          '-s',
          this.hostOf(from),
          '-p',
          'tcp',
          side,
          `${shardsPort}:${shardsPort + 9}`,
          '-j',
          'DROP',
        );
  }

  /** So many bits per second, and the queue of a slow link. */
  limitRate(id: string, rate: string): void {
    this.inside(
      id,
      'tc',
      'qdisc',
      'add',
      'dev',
      'eth0',
      'root',
      'tbf',
      'rate',
      rate,
      'burst',
      '16kb',
      'latency',
      '300ms',
    );
  }

  /** How many packets the node's slow link has refused, since it is slow, for want of room in its queue. */
  packetsRefused(id: string): number {
    const said = this.inside(id, 'tc', '-s', 'qdisc', 'show', 'dev', 'eth0');
    return Number(/dropped (\d+)/.exec(said)?.[1] ?? 0);
  }

  setMtu(id: string, bytes: number): void {
    run('ip', '-n', this.#nameOf(id), 'link', 'set', 'eth0', 'mtu', `${bytes}`);
    run('ip', '-n', this.hub, 'link', 'set', id, 'mtu', `${bytes}`);
  }

  /** From now on counts the packets to and from the node, before they meet its link, that are larger than so many bytes. */
  countLarger(id: string, bytes: number): void {
    const match = ['-m', 'length', '--length', `${bytes + 1}:65535`];
    this.#filter(id, 'OUTPUT', '-o', 'eth0', ...match);
    for (const other of this.peers)
      if (other.id !== id) this.#filter(other.id, 'OUTPUT', '-d', this.hostOf(id), ...match);
  }

  /** Puts all links of all nodes in order; with ids, of these. */
  heal(...ids: readonly string[]): void {
    for (const { id } of this.peers) {
      if (ids.length > 0 && !ids.includes(id)) continue;
      this.inside(id, 'iptables', '-F');
      this.setMtu(id, 1_500);
      if (this.inside(id, 'tc', 'qdisc', 'show', 'dev', 'eth0').includes('tbf'))
        this.inside(id, 'tc', 'qdisc', 'del', 'dev', 'eth0', 'root');
    }
  }

  /** Runs a program to its end in the node's namespace. */
  inside(id: string, ...command: readonly string[]): string {
    return run('ip', 'netns', 'exec', this.#nameOf(id), ...command);
  }

  #filter(id: string, chain: string, ...rule: readonly string[]): void {
    this.inside(id, 'iptables', '-w', '-A', chain, ...rule);
  }

  #nameOf(id: string): string {
    return `${this.tag}${id}`;
  }

  #indexOf(id: string): number {
    const index = this.peers.findIndex((peer) => peer.id === id);
    if (index < 0) throw new Error(`there is no node ${id}`);
    return index;
  }
}

export function isInstalled(program: string): boolean {
  const folders = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/sbin'];
  return folders.some((folder) => {
    try {
      accessSync(`${folder}/${program}`, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
