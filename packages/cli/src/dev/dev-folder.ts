import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type DataFolder, openDataFolder } from '@holdfast/embedded';
import { isPath, loadMapping } from '@holdfast/node';
import { failed } from '../cli-error.ts';
import { type DevFile, readDevFile, supervisorRuns } from './dev-file.ts';
import type { DevPlan } from './dev-options.ts';

/** The data folder of a dev run, checked and opened. */
export interface DevFolder {
  readonly folder: DataFolder;
  readonly temporary: boolean;
  /** Of the last run on it; null: it is new. */
  readonly earlier: DevFile | null;
  readonly nodes: number;
  /** As a node's configuration names it: a built-in's name or an absolute path. */
  readonly mapping: string;
  /** What tells one mapping from another, also when its file was changed. */
  readonly mappingId: string;
  remove(): void;
}

const nodesDefault = 3;

/** @throws CliError, one line, before anything is started */
export function openDevFolder(plan: DevPlan, cwd: string): DevFolder {
  const mapping = isPath(plan.mapping) ? resolve(cwd, plan.mapping) : plan.mapping;
  loadMapping(mapping);
  const mappingId = isPath(mapping)
    ? `sha256:${createHash('sha256').update(readFileSync(mapping)).digest('hex')}`
    : mapping;
  const temporary = plan.data === null;
  const dir = plan.data ?? mkdtempSync(join(tmpdir(), 'holdfast-dev-'));
  const opened = openDataFolder(dir, Date.now());
  if (opened.code !== 'OK') throw failed(opened.code, opened.text);
  const earlier = readDevFile(dir);
  if (earlier !== null && supervisorRuns(earlier)) {
    throw failed('FOLDER_IN_USE', `${dir} is in use by another holdfast dev (process ${earlier.pid})`);
  }
  const nodes = plan.nodes ?? earlier?.nodes.length ?? nodesDefault;
  if (earlier !== null && earlier.nodes.length !== nodes) {
    const had = earlier.nodes.length;
    throw failed(
      'NODES_DIFFER',
      `${dir} holds a cluster of ${had} nodes: run it with --nodes ${had}, or choose another folder`,
    );
  }
  const remove = () => {
    if (temporary) rmSync(dir, { recursive: true, force: true });
  };
  return { folder: opened.folder, temporary, earlier, nodes, mapping, mappingId, remove };
}
