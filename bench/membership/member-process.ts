import type { Gossip } from '@holdfast/engine';
import { LifeguardGossip, nullSeal, SwimGossip } from '@holdfast/gossip-swim';
import { nodeId, SeededRng, silentLogger } from '@holdfast/model';

/** What `processes.ts` starts: one member, which tells its changes as lines of JSON. */
export interface MemberArguments {
  readonly adapter: 'lifeguard' | 'swim' | 'plainSwim' | 'plainSwimDefaults';
  readonly name: string;
  readonly port: number;
  readonly seeds: readonly string[];
  readonly startCounter: number;
  readonly lossRatio: number;
}

/** The part of npm `swim` that a plain member needs. */
interface PlainSwim {
  net: { sendBuffer(buffer: Uint8Array, host: string): void };
  on(event: 'update', listener: (member: { host: string; state: number }) => void): void;
  bootstrap(hosts: readonly string[], done: (error?: Error) => void): void;
}

const args = JSON.parse(process.argv[2]!) as MemberArguments;

function say(kind: string, member: string): void {
  // Of the machine's one clock, so that times of several processes compare.
  process.stdout.write(`${JSON.stringify({ atMs: performance.timeOrigin + performance.now(), kind, member })}\n`);
}

function isLost(): boolean {
  return Math.random() < args.lossRatio;
}

async function runAdapter(): Promise<void> {
  const { name, port, seeds, startCounter } = args;
  const garbage = Uint8Array.of(0);
  const options = {
    id: nodeId(name),
    meta: {
      uuid: `${name.charCodeAt(1).toString(16).padStart(8, '0')}-0000-4000-8000-000000000000`,
      startCounter,
      version: '0.1.0',
      peerAddress: '127.0.0.1:7400',
      shardAddresses: [],
      httpAddress: null,
      zone: null,
    },
    clusterName: 'bench',
    port,
    seeds,
    // What can't be opened is a datagram lost.
    seal: { ...nullSeal, seal: (datagram: Uint8Array) => (isLost() ? garbage : datagram) },
  };
  const clock = { monotonicMs: () => performance.now(), wallUnixMs: () => Date.now() };
  const dependencies = { clock, rng: new SeededRng(process.pid), logger: silentLogger };
  const gossip: Gossip =
    args.adapter === 'swim' ? new SwimGossip(options, dependencies) : new LifeguardGossip(options, dependencies);
  gossip.onChange((changes) => {
    for (const change of changes) if ('member' in change) say(change.kind, change.member.id);
  });
  await gossip.start();
}

/** npm swim as it comes, with its own times or with those of the adapter. */
async function runPlain(): Promise<void> {
  const library: { default: new (options: object) => PlainSwim } = await import('swim' as string);
  const times = { interval: 300, pingTimeout: 150, pingReqTimeout: 450, pingReqGroupSize: 3, suspectTimeout: 3000 };
  const swim = new library.default({
    local: { host: `127.0.0.1:${args.port}`, incarnation: args.startCounter * 1000 },
    codec: 'json',
    ...(args.adapter === 'plainSwim' ? times : {}),
  });
  const { net } = swim;
  const send = net.sendBuffer;
  net.sendBuffer = (buffer, host) => {
    if (!isLost()) send.call(net, buffer, host);
  };
  swim.on('update', ({ host, state }) => {
    say(['alive', 'suspected', 'died'][state] ?? 'unknown', `n${Number(host.split(':')[1]) % 10}`);
  });
  await new Promise<void>((resolve) => swim.bootstrap(args.seeds, () => resolve()));
}

await (args.adapter === 'plainSwim' || args.adapter === 'plainSwimDefaults' ? runPlain() : runAdapter());
say('ready', args.name);
