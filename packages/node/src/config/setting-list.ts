import { z } from 'zod';
import { settingsSchema } from './settings-schema.ts';

export type SettingKind = 'text' | 'integer' | 'boolean' | 'texts' | 'peers';

/** One setting, as flags, environment and documents name it. */
export interface Setting {
  /** `session.ttl` */
  readonly path: string;
  /** `--session-ttl` */
  readonly flag: string;
  /** `HOLDFAST_SESSION_TTL` */
  readonly env: string;
  readonly kind: SettingKind;
  /** Never shown, neither in a configuration nor in an error. */
  readonly secret: boolean;
  /** As it would be written; undefined when there is none. */
  readonly defaultValue: unknown;
  readonly description: string;
  /** Why the default is what it is. */
  readonly reason: string;
}

interface Definition {
  readonly type: string;
  readonly innerType?: z.ZodType;
  readonly defaultValue?: unknown;
  readonly element?: z.ZodType;
}

/** All settings in the order of the schema. */
export const settings: readonly Setting[] = listSettings();

const byPath = new Map(settings.map((setting) => [setting.path, setting]));

export function findSetting(path: string): Setting | undefined {
  return byPath.get(path);
}

/** Names of groups: paths that hold settings and are none. */
export const settingGroups: ReadonlySet<string> = new Set(
  settings.filter(({ path }) => path.includes('.')).map(({ path }) => path.slice(0, path.indexOf('.'))),
);

function listSettings(): Setting[] {
  const found: Setting[] = [];
  for (const [name, schema] of Object.entries(settingsSchema.shape)) {
    if (!(schema instanceof z.ZodObject)) {
      found.push(describe(name, schema));
      continue;
    }
    for (const [below, leaf] of Object.entries(schema.shape))
      found.push(describe(`${name}.${below}`, leaf as z.ZodType));
  }
  return found;
}

function describe(path: string, schema: z.ZodType): Setting {
  const words = path.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`).replaceAll('.', '-');
  const meta = (schema.meta() ?? {}) as { description?: string; reason?: string; secret?: boolean };
  const outer = schema.def as unknown as Definition;
  let inner = outer;
  while (inner.innerType !== undefined) inner = inner.innerType.def as unknown as Definition;
  return {
    path,
    flag: `--${words}`,
    env: `HOLDFAST_${words.replaceAll('-', '_').toUpperCase()}`,
    kind: kindOf(inner),
    secret: meta.secret ?? false,
    defaultValue: outer.type === 'default' ? outer.defaultValue : undefined,
    description: meta.description ?? '',
    reason: meta.reason ?? '',
  };
}

function kindOf({ type, element }: Definition): SettingKind {
  if (type === 'array') return element?.def.type === 'object' ? 'peers' : 'texts';
  return type === 'number' ? 'integer' : type === 'boolean' ? 'boolean' : 'text';
}
