import { resolve } from 'node:path';
import { type NodeId, nodeId } from '@holdfast/model';
import { defaultRecordLimits } from '@holdfast/processor';
import { checkBounds } from './check-bounds.ts';
import { checkJob } from './check-job.ts';
import { checkRelations } from './check-relations.ts';
import { checkServices } from './check-services.ts';
import { ConfigError, type ConfigProblem } from './config-problem.ts';
import { convertLog, convertStore, type PathOf } from './convert-services.ts';
import { type HostPort, parseHostPort } from './host-port.ts';
import { isPath } from './job-names.ts';
import type { NodeConfig, OwnConfig, PeerConfig } from './node-config.ts';
import { convertOwnTls, missingTls } from './own-tls.ts';
import { shownValue } from './secret-value.ts';
import { findSetting, settings } from './setting-list.ts';
import { type Settings, settingsSchema } from './settings-schema.ts';
import { soundSettings } from './sound-settings.ts';
import {
  type ConfigFile,
  defaultLayer,
  type Layer,
  mergeLayers,
  readDocument,
  readEnvironment,
  readFlags,
} from './sources.ts';
import { durationMs, sizeBytes } from './units.ts';

/** Where a configuration comes from: flags > environment > files (later ones win) > defaults. */
export interface ConfigSources {
  /** By setting path, as written on the command line. */
  readonly flags?: Readonly<Record<string, string | undefined>>;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly files?: readonly ConfigFile[];
  /** What relative paths in flags and variables are relative to. */
  readonly cwd: string;
}

/** A setting's value and where it came from, for `config show --origin`. */
export interface SettingOrigin {
  readonly path: string;
  readonly value: unknown;
  readonly origin: string;
}

export interface CompiledConfig {
  readonly config: NodeConfig;
  /** All settings, in the schema's order. */
  readonly origins: readonly SettingOrigin[];
}

/**
 * Merges the sources, checks every value and the relations between them.
 * @throws ConfigError with all problems
 */
export function compileConfig(sources: ConfigSources): CompiledConfig {
  const problems: ConfigProblem[] = [];
  const layers: Layer[] = [defaultLayer(sources.cwd)];
  for (const file of sources.files ?? []) layers.push(readDocument(file, problems));
  layers.push(readEnvironment(sources.env ?? {}, sources.cwd, problems), readFlags(sources.flags ?? {}, sources.cwd));
  const merged = mergeLayers(layers);
  const nested = nest(merged);
  const issues = settingsSchema.safeParse(nested).error?.issues ?? [];
  problems.push(...schemaProblems(issues, merged));
  const groups = issues.map(({ path }) => path[0]!);
  const { written, isSound } = soundSettings(nested, groups);
  problems.push(...checkBounds(merged), ...checkJob(merged), ...checkServices(written, merged, isSound));
  if (isSound('tls')) problems.push(...missingTls(written).map(missingTlsProblem));
  const at: PathOf = (path, text) => resolve(merged.get(path)!.baseDir, text);
  const own = convertOwn(written, at);
  problems.push(...checkRelations(own, isSound));
  if (problems.length > 0) throw new ConfigError(problems);
  const config = { ...own, log: convertLog(written, at), store: convertStore(written, at) };
  const origins = settings.map((setting) => {
    const found = merged.get(setting.path);
    const value = found?.value ?? null;
    return { path: setting.path, value: shownValue(setting, value), origin: found?.origin ?? 'default' };
  });
  return { config: deepFreeze(config), origins };
}

/** `{session: {ttl: …}}` from `session.ttl`; groups that got nothing are empty. */
function nest(merged: Layer): Record<string, unknown> {
  const nested: Record<string, Record<string, unknown> | unknown> = {};
  for (const { path } of settings) {
    const dot = path.indexOf('.');
    const value = merged.get(path)?.value;
    if (dot < 0) {
      if (value !== undefined) nested[path] = value;
      continue;
    }
    const group = ((nested[path.slice(0, dot)] as Record<string, unknown> | undefined) ??= {});
    nested[path.slice(0, dot)] = group;
    if (value !== undefined) group[path.slice(dot + 1)] = value;
  }
  return nested;
}

interface SchemaIssue {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** One problem per setting: a second issue of a value seldom tells more. */
function schemaProblems(issues: readonly SchemaIssue[], merged: Layer): ConfigProblem[] {
  const problems = new Map<string, ConfigProblem>();
  for (const { path, message } of issues) {
    const parts = path.map(String);
    const name =
      settings.find((s) => s.path === parts[0] || s.path === `${parts[0]}.${parts[1]}`)?.path ?? parts.join('.');
    const found = merged.get(name);
    const below = parts.slice(name.split('.').length);
    const where = below.reduce((text, part) => (/^\d+$/.test(part) ? `${text}[${part}]` : `${text}.${part}`), name);
    if (problems.has(where)) continue;
    const setting = findSetting(name);
    const value =
      setting === undefined
        ? undefined
        : shownValue(
            setting,
            below.reduce<unknown>((at, part) => (at as Record<string, unknown> | undefined)?.[part], found?.value),
          );
    const missing = found === undefined;
    const hint = missing ? missingText(name) : message;
    const problem = {
      path: where,
      expected: hint,
      origin: missing || found.origin === 'default' ? null : found.origin,
    };
    problems.set(where, value === undefined ? problem : { ...problem, value });
  }
  return [...problems.values()];
}

function missingText(path: string): string {
  const setting = settings.find((s) => s.path === path)!;
  return `missing; give ${setting.flag}, ${setting.env} or ${path} in the file (${setting.description})`;
}

function missingTlsProblem(path: string): ConfigProblem {
  return { path, expected: 'missing: tls.ca, tls.cert and tls.key go together, all three or none', origin: null };
}

function convertOwn(written: Settings, at: PathOf): OwnConfig {
  const listenControl = address(written.listen.control);
  const listenGossip = address(written.listen.gossip);
  const self: NodeId = nodeId(written.node.id);
  const peers: PeerConfig[] = written.cluster.peers.map(({ id, address, gossip }) => {
    return { id: nodeId(id), address, gossipAddress: gossip };
  });
  if (peers.length === 0)
    peers.push({ id: self, address: written.listen.control, gossipAddress: written.listen.gossip });
  /** A bare name is a built-in; what looks like a path is one. */
  const nameOrPath = (path: string, text: string) => (isPath(text) ? at(path, text) : text);
  const { limits } = written;
  return {
    nodeId: self,
    zone: written.node.zone ?? null,
    clusterName: written.cluster.name,
    peers,
    dataDir: at('data', written.data),
    listenControl,
    listenGossip,
    listenShards: address(written.listen.shards),
    listenHttp: written.listen.http === 'off' ? null : address(written.listen.http),
    tls: convertOwnTls(written, at),
    gossip: {
      protocol: written.gossip.protocol,
      keysPath: written.gossip.keys === undefined ? null : at('gossip.keys', written.gossip.keys),
      seal: written.gossip.seal,
    },
    shardCount: written.shards,
    job: {
      name: nameOrPath('job.name', written.job.name),
      inputTopic: written.job.input ?? null,
      mapping: nameOrPath('job.mapping', written.job.mapping),
    },
    startPosition: startPosition(written.job.start),
    backupIntervalMs: durationMs(written.backup.interval)!,
    sessionTtlMs: durationMs(written.session.ttl)!,
    sessionRenewMs: durationMs(written.session.renew)!,
    sessionStopMs: durationMs(written.session.stop)!,
    drainDeadlineMs: durationMs(written.drain.deadline)!,
    limits: {
      ...defaultRecordLimits,
      frameRecordsMax: limits.frameRecords,
      frameBytesMax: sizeBytes(limits.frameBytes)!,
      framesInFlightMax: limits.framesInFlight,
      bytesInFlightMax: sizeBytes(limits.bytesInFlight)!,
      parkedRecordsMax: limits.parkedRecords,
      parkedBytesMax: sizeBytes(limits.parkedBytes)!,
      outputsUnackedMax: limits.outputsUnacked,
      outputBytesMax: sizeBytes(limits.outputBytes)!,
    },
    fetchBytesMax: sizeBytes(limits.fetchBytes)!,
    backupRowsMax: limits.backupRows,
    logLevel: written.logging.level,
  };
}

function startPosition(text: string): NodeConfig['startPosition'] {
  return text === 'earliest' || text === 'latest' ? text : { timestampUnixMs: Date.parse(text) };
}

function address(text: string): HostPort {
  return parseHostPort(text)!;
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const inner of Object.values(value)) deepFreeze(inner);
    Object.freeze(value);
  }
  return value;
}
