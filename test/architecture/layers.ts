/**
 * The layers (docs/ARCHITECTURE.md). An arrow goes to a lower layer, never to a sibling or up. What a package may import
 * of the outside is named here too, so that a new library is a decision and not an accident.
 */
export interface LayerRule {
  readonly level: number;
  /** Siblings that may be imported nevertheless, each with its reason. */
  readonly siblings?: Readonly<Record<string, string>>;
  /** The packages that may be imported, when that is fewer than all lower layers. */
  readonly only?: readonly string[];
  /** Third-party packages. */
  readonly thirdParty: readonly string[];
  /** May import `node:` modules. */
  readonly node: boolean;
}

const pure = { level: 1, thirdParty: [], node: false };
const adapter = { level: 3, node: true };

export const layers: Readonly<Record<string, LayerRule>> = {
  '@holdfast/model': { level: 0, thirdParty: [], node: false },
  '@holdfast/raft': pure,
  '@holdfast/lease': pure,
  '@holdfast/membership': pure,
  '@holdfast/processor': pure,
  '@holdfast/engine': { level: 2, thirdParty: [], node: false },
  '@holdfast/sdk': { level: 2, thirdParty: ['zod'], node: false },
  '@holdfast/transport-grpc': {
    ...adapter,
    thirdParty: ['@grpc/grpc-js', '@grpc/proto-loader', 'protobufjs'],
  },
  '@holdfast/gossip-swim': { ...adapter, thirdParty: ['swim'] },
  '@holdfast/embedded': { ...adapter, thirdParty: ['lmdb'] },
  '@holdfast/stream-kafka': { ...adapter, thirdParty: ['kafkajs', 'lz4-napi', 'snappyjs', '@node-rs/crc32'] },
  '@holdfast/backup-redis': { ...adapter, thirdParty: ['ioredis'] },
  '@holdfast/telemetry': { ...adapter, thirdParty: ['pino', 'prom-client'] },
  '@holdfast/access-anomaly': { level: 3, only: ['@holdfast/sdk', '@holdfast/model'], thirdParty: [], node: true },
  '@holdfast/node': { level: 4, thirdParty: ['zod', 'yaml'], node: true },
  holdfast: {
    level: 4,
    siblings: { '@holdfast/node': 'the command starts nodes' },
    thirdParty: ['commander', 'zod'],
    node: true,
  },
};

/** For development only: imports what is below the adapters, and no production source imports it. */
export const testkit = '@holdfast/testkit';
export const testkitRule: LayerRule = { level: 3, thirdParty: ['fast-check'], node: true };

/** The packages whose sources are pure and synchronous. */
export const purePackages: readonly string[] = Object.entries(layers)
  .filter(([, rule]) => rule.level <= 1)
  .map(([name]) => name);

/** The packages that may not even name a type of Node: layers 0 to 2. */
export const packagesWithoutNodeTypes: readonly string[] = Object.entries(layers)
  .filter(([, rule]) => rule.level <= 2)
  .map(([name]) => name);

/** Why `from` may not import `to`; null when it may. Both are packages of the workspace. */
export function refuseArrow(from: string, to: string): string | null {
  if (to === testkit) return `${testkit} is for tests only`;
  const rule = from === testkit ? testkitRule : layers[from];
  const target = layers[to];
  if (rule === undefined) return `${from} has no layer: give it one in test/architecture/layers.ts`;
  if (target === undefined) return `${to} has no layer: give it one in test/architecture/layers.ts`;
  if (rule.only !== undefined) return rule.only.includes(to) ? null : `${from} may import ${rule.only.join(', ')} only`;
  if (rule.siblings?.[to] !== undefined) return null;
  if (target.level < rule.level) return null;
  return `arrow from layer ${rule.level} (${from}) to layer ${target.level} (${to})`;
}
