import { dirname, resolve } from 'node:path';
import type { ConfigProblem } from './config-problem.ts';
import { nearestName } from './nearest-name.ts';
import { readYaml } from './read-yaml.ts';
import { findSetting, type Setting, settingGroups, settings } from './setting-list.ts';

/** A value as some source gave it. */
export interface SourcedValue {
  readonly value: unknown;
  /** `--session-ttl`, `HOLDFAST_SESSION_TTL`, a file's name, or `default`. */
  readonly origin: string;
  /** What relative paths are relative to: the file's folder, else where the program runs. */
  readonly baseDir: string;
}

/** By setting path. */
export type Layer = Map<string, SourcedValue>;

/** A configuration file as read, before anything in it is understood. */
export interface ConfigFile {
  readonly path: string;
  readonly text: string;
}

/** Variables of that prefix which are no settings of a node: the commands' own. */
export const otherVariables: readonly string[] = ['HOLDFAST_ADDR', 'HOLDFAST_SUPERVISED'];

/**
 * What Kubernetes gives every container of a namespace that has a Service of this name, `holdfast` or `holdfast-…`: nobody
 * has set it for this program. A port of ours would be a number: `tcp://…` is one of theirs.
 */
function isOfService(name: string, text: string): boolean {
  if (/_SERVICE_(HOST|PORT(_[A-Z0-9_]+)?)$/.test(name)) return true;
  if (/_PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$/.test(name)) return true;
  return name.endsWith('_PORT') && /^(tcp|udp|sctp):\/\//.test(text);
}

const byEnv = new Map(settings.map((setting) => [setting.env, setting]));
const groupSettings = (group: string) => settings.filter(({ path }) => path.startsWith(`${group}.`));

/** Settings from the environment; unknown HOLDFAST_ names are problems. An empty variable counts as not set. */
export function readEnvironment(
  env: Readonly<Record<string, string | undefined>>,
  cwd: string,
  problems: ConfigProblem[],
): Layer {
  const layer: Layer = new Map();
  for (const [name, text] of Object.entries(env)) {
    if (!name.startsWith('HOLDFAST_') || text === undefined || text === '' || otherVariables.includes(name)) continue;
    const setting = byEnv.get(name);
    if (setting === undefined) {
      if (isOfService(name, text)) continue;
      problems.push({
        path: name,
        expected: unknownText('variable', name, [...byEnv.keys(), ...otherVariables]),
        origin: 'environment',
      });
    } else layer.set(setting.path, { value: fromText(setting, text), origin: name, baseDir: cwd });
  }
  return layer;
}

/** Settings from flags, by path; the command line has checked the names. */
export function readFlags(flags: Readonly<Record<string, string | undefined>>, cwd: string): Layer {
  const layer: Layer = new Map();
  for (const [path, text] of Object.entries(flags)) {
    const setting = findSetting(path);
    if (setting === undefined || text === undefined) continue;
    layer.set(path, { value: fromText(setting, text), origin: setting.flag, baseDir: cwd });
  }
  return layer;
}

/** Settings from a YAML or JSON document (every JSON document is YAML). */
export function readDocument(file: ConfigFile, problems: ConfigProblem[]): Layer {
  const layer: Layer = new Map();
  const origin = file.path;
  const baseDir = dirname(resolve(file.path));
  const read = readYaml(file.text);
  if (read.code !== 'OK') {
    problems.push({ path: file.path, expected: `no YAML or JSON document: ${read.reason}`, origin: null });
    return layer;
  }
  const document = read.document ?? {};
  if (!isObject(document)) {
    problems.push({ path: file.path, expected: 'the document must be an object of settings', origin: null });
    return layer;
  }
  const tops = [...settingGroups, ...settings.map(({ path }) => path).filter((path) => !path.includes('.'))];
  for (const [name, value] of Object.entries(document)) {
    if (!settingGroups.has(name)) {
      if (findSetting(name) !== undefined) layer.set(name, { value, origin, baseDir });
      else problems.push({ path: name, expected: unknownText('setting', name, tops), origin });
      continue;
    }
    if (value === null) continue;
    if (!isObject(value)) {
      const group = groupSettings(name);
      const names = group.map(({ path }) => path.slice(name.length + 1));
      // Perhaps it is what belongs in a secret of the group.
      const shown = group.some(({ secret }) => secret) ? {} : { value };
      problems.push({ path: name, ...shown, expected: `a group with ${names.join(', ')}`, origin });
      continue;
    }
    const known = groupSettings(name).map(({ path }) => path);
    for (const [below, inner] of Object.entries(value)) {
      const path = `${name}.${below}`;
      if (known.includes(path)) layer.set(path, { value: inner, origin, baseDir });
      else problems.push({ path, expected: unknownText('setting', path, known), origin });
    }
  }
  return layer;
}

export function defaultLayer(cwd: string): Layer {
  const layer: Layer = new Map();
  for (const { path, defaultValue } of settings) {
    if (defaultValue !== undefined) layer.set(path, { value: defaultValue, origin: 'default', baseDir: cwd });
  }
  return layer;
}

/** Later layers win. */
export function mergeLayers(layers: readonly Layer[]): Layer {
  const merged: Layer = new Map();
  for (const layer of layers) for (const [path, value] of layer) merged.set(path, value);
  return merged;
}

/** Where a value was given; null: it is the default, or there is none. */
export function givenOrigin(path: string, merged: Layer): string | null {
  const origin = merged.get(path)?.origin ?? null;
  return origin === 'default' ? null : origin;
}

function unknownText(what: string, name: string, known: Iterable<string>): string {
  const near = nearestName(name, known);
  return near === null
    ? `unknown ${what}; known are ${[...known].join(', ')}`
    : `unknown ${what}; did you mean ${near}?`;
}

/** Flags and variables are texts: a number or list is read from them, and what can't be is left for the schema to refuse. */
function fromText(setting: Setting, text: string): unknown {
  if (setting.kind === 'integer') return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text;
  if (setting.kind === 'boolean') return text === 'true' ? true : text === 'false' ? false : text;
  if (setting.kind === 'texts') return text.split(',').map((part) => part.trim());
  if (setting.kind !== 'peers') return text;
  const peers: { id: string; address: string; gossip: string }[] = [];
  for (const part of text.split(',')) {
    const match = /^\s*([^=\s]+)=([^/\s]+)\/(\S+)\s*$/.exec(part);
    if (match === null) return text;
    peers.push({ id: match[1]!, address: match[2]!, gossip: match[3]! });
  }
  return peers;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
