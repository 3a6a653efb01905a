import { readFileSync, unwatchFile, watchFile } from 'node:fs';
import type { Gossip } from '@holdfast/engine';
import {
  GossipError,
  KeyRing,
  LifeguardGossip,
  parseKeyFile,
  SealedDatagrams,
  type SealMode,
  SwimGossip,
  seedsMax,
} from '@holdfast/gossip-swim';
import type { NodeMeta } from '@holdfast/membership';
import type { Clock, Logger } from '@holdfast/model';
import { advertisedHost } from '../config/advertised-host.ts';
import type { NodeConfig } from '../config/node-config.ts';
import { CryptoRng } from './crypto-rng.ts';

const keyFileLookMs = 2_000;

const sealModes = {
  strict: 'strict',
  'accept-plain': 'acceptPlain',
  'send-plain': 'sendPlain',
} as const satisfies Record<Exclude<NodeConfig['gossip']['seal'], 'none'>, SealMode>;

/**
 * The keys of gossip as configured; null: plain datagrams. Read first of all, before anything is opened.
 * @throws GossipError GOSSIP_OPTIONS for a file that can't be read or is none
 */
export function openGossipKeys({ gossip: { keysPath, seal } }: Pick<NodeConfig, 'gossip'>): KeyRing | null {
  if (keysPath === null || seal === 'none') return null;
  try {
    return new KeyRing(parseKeyFile(readFileSync(keysPath, 'utf8')));
  } catch (error) {
    const problems = [`gossip.keys: ${keysPath}: ${error instanceof Error ? error.message : error}`];
    throw new GossipError({ code: 'GOSSIP_OPTIONS', problems }, error);
  }
}

/**
 * The peers to look for. Of many these are the next ones in the list, which is the same on all nodes: whoever is up, a
 * chain of them reaches everybody.
 */
export function gossipSeeds({ nodeId, peers }: Pick<NodeConfig, 'nodeId' | 'peers'>): string[] {
  const self = peers.findIndex(({ id }) => id === nodeId);
  return [...peers.slice(self + 1), ...peers.slice(0, self)]
    .slice(0, seedsMax)
    .map(({ gossipAddress }) => gossipAddress);
}

/**
 * Gossip as configured. With keys, `close` ends the watch over their file.
 * @throws GossipError GOSSIP_OPTIONS
 */
export function createGossip(
  config: NodeConfig,
  ring: KeyRing | null,
  meta: NodeMeta,
  clock: Clock,
  logger: Logger,
): { readonly gossip: Gossip; readonly close: () => void } {
  const { nodeId: id, clusterName, listenGossip } = config;
  const { protocol, keysPath, seal } = config.gossip;
  const close = ring === null ? () => {} : watchKeys(keysPath!, ring, logger);
  const options = {
    id,
    meta,
    clusterName,
    port: listenGossip.port,
    bindHost: listenGossip.host,
    advertiseHost: advertisedHost(config, listenGossip, 'gossipAddress'),
    seeds: gossipSeeds(config),
    ...(ring === null || seal === 'none'
      ? {}
      : { seal: new SealedDatagrams(ring, clusterName, { id, ...meta }, sealModes[seal]) }),
  };
  const dependencies = { clock, rng: new CryptoRng(), logger };
  try {
    const Adapter = protocol === 'swim' ? SwimGossip : LifeguardGossip;
    return { gossip: new Adapter(options, dependencies), close };
  } catch (error) {
    close();
    throw error;
  }
}

/** Keys change while the node runs: install the new one as a second line, move it to the top, remove the old one. */
function watchKeys(path: string, ring: KeyRing, logger: Logger): () => void {
  const look = () => {
    try {
      const before = idsOf(ring);
      ring.replace(parseKeyFile(readFileSync(path, 'utf8')));
      if (idsOf(ring) === before) return;
      logger.info('gossip keys read again', { seals: ring.primary.id, opens: ring.keys.map((key) => key.id) });
    } catch (error) {
      logger.error('gossip keys stay as they were', { path, error: error instanceof Error ? error.message : error });
    }
  };
  watchFile(path, { interval: keyFileLookMs, persistent: false }, look);
  // What was written since the keys were read at the start is no change to the watch, nor is what comes before its first
  // look, which it takes in its own time.
  look();
  const again = setTimeout(look, keyFileLookMs).unref();
  return () => {
    clearTimeout(again);
    unwatchFile(path, look);
  };
}

/** In their order: the first one seals. */
function idsOf(ring: KeyRing): string {
  return ring.keys.map(({ id }) => id).join();
}
