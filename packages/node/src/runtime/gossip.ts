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
 * Gossip as configured. With keys, `close` ends the watch over their file.
 * @throws GossipError GOSSIP_OPTIONS, also for a key file that can't be read or is none
 */
export function createGossip(
  config: NodeConfig,
  meta: NodeMeta,
  clock: Clock,
  logger: Logger,
): { readonly gossip: Gossip; readonly close: () => void } {
  const { nodeId: id, clusterName, peers, listenGossip } = config;
  const { protocol, keysPath, seal } = config.gossip;
  const ring = keysPath === null || seal === 'none' ? null : openKeyFile(keysPath);
  const close = ring === null ? () => {} : watchKeys(keysPath!, ring, logger);
  const options = {
    id,
    meta,
    clusterName,
    port: listenGossip.port,
    bindHost: listenGossip.host,
    advertiseHost: advertisedHost(config, listenGossip, 'gossipAddress'),
    seeds: peers.filter((peer) => peer.id !== id).map(({ gossipAddress }) => gossipAddress),
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

function openKeyFile(path: string): KeyRing {
  try {
    return new KeyRing(parseKeyFile(readFileSync(path, 'utf8')));
  } catch (error) {
    const problems = [`gossip.keys: ${path}: ${error instanceof Error ? error.message : error}`];
    throw new GossipError({ code: 'GOSSIP_OPTIONS', problems }, error);
  }
}

/** Keys change while the node runs: install the new one as a second line, move it to the top, remove the old one. */
function watchKeys(path: string, ring: KeyRing, logger: Logger): () => void {
  const look = () => {
    try {
      ring.replace(parseKeyFile(readFileSync(path, 'utf8')));
      logger.info('gossip keys read again', { seals: ring.primary.id, opens: ring.keys.map((key) => key.id) });
    } catch (error) {
      logger.error('gossip keys stay as they were', { path, error: error instanceof Error ? error.message : error });
    }
  };
  watchFile(path, { interval: keyFileLookMs, persistent: false }, look);
  return () => unwatchFile(path, look);
}
