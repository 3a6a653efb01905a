import { z } from 'zod';
import { settings } from './setting-list.ts';
import { settingsSchema } from './settings-schema.ts';

/** The JSON Schema of a configuration file, for editors and checks. */
export function configJsonSchema(): object {
  const schema = z.toJSONSchema(settingsSchema, {
    io: 'input',
    override: ({ jsonSchema }) => optionalGroups(jsonSchema),
  });
  return { ...schema, title: 'holdfast node configuration' };
}

/** Files may leave out whole groups: what is required may come from a flag or variable. */
function optionalGroups(jsonSchema: { required?: unknown; properties?: object }): void {
  if (jsonSchema.properties === undefined || !('id' in jsonSchema.properties && 'gossip' in jsonSchema.properties)) {
    delete jsonSchema.required;
  }
}

/** A row of the reference page. */
export interface SettingRow {
  readonly path: string;
  readonly flag: string;
  readonly env: string;
  readonly defaultText: string;
  readonly description: string;
  readonly reason: string;
}

export function settingRows(): SettingRow[] {
  return settings.map(({ path, flag, env, defaultValue, description, reason }) => ({
    path,
    flag,
    env,
    // The number of cores differs from machine to machine, the page must not.
    defaultText: path === 'shards' ? 'cores - 1' : defaultText(defaultValue),
    description,
    reason,
  }));
}

function defaultText(value: unknown): string {
  if (value === undefined) return '-';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
