import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { type ConfigFile, settings } from '@holdfast/node';
import { type Command, Option } from 'commander';
import { failed } from './cli-error.ts';

/** How lists are written in one line. */
const formOf: Partial<Record<(typeof settings)[number]['kind'], string>> = {
  texts: 'value,...',
  peers: 'id=address/gossip,...',
};

/** Every setting of a node as a flag. */
export function withSettingFlags(command: Command): Command {
  for (const { flag, kind, description, defaultValue, path } of settings) {
    const shown =
      path === 'shards' ? 'cores - 1' : typeof defaultValue === 'string' ? defaultValue : JSON.stringify(defaultValue);
    const isNone = shown === undefined || shown === '[]';
    const text = isNone ? description : `${description} (default: ${shown})`;
    command.addOption(new Option(`${flag} <${formOf[kind] ?? 'value'}>`, text));
  }
  return command;
}

/** The settings among a command's options, by path. */
export function settingFlags(options: Readonly<Record<string, unknown>>): Record<string, string> {
  const flags: Record<string, string> = {};
  for (const { path, flag } of settings) {
    const name = flag.slice(2).replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
    const value = options[name];
    if (typeof value === 'string') flags[path] = value;
  }
  return flags;
}

/** @throws CliError for a file that can't be read */
export function readConfigFiles(paths: readonly string[], cwd: string): ConfigFile[] {
  return paths.map((given) => {
    const path = resolve(cwd, given);
    try {
      return { path, text: readFileSync(path, 'utf8') };
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException;
      const why = code === 'ENOENT' ? 'there is no such file' : code === 'EISDIR' ? 'it is a folder' : String(code);
      throw failed('CONFIG_UNREADABLE', `configuration ${given} can't be read: ${why}`, cause);
    }
  });
}
