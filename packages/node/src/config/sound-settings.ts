import { settingGroups } from './setting-list.ts';
import { type Settings, settingsSchema } from './settings-schema.ts';

/** Whether all values of these groups are right by themselves: relations to others say nothing sensible. */
export type IsSound = (...groups: readonly (keyof Settings)[]) => boolean;

export interface SoundSettings {
  /** Groups with a wrong value have their defaults. */
  readonly written: Settings;
  readonly isSound: IsSound;
}

/** Stands in a configuration that is only looked through for more problems. */
const noNode = { id: 'none' };

/**
 * What is right by itself of settings that aren't, so that all that is wrong can be told at once.
 * @param nested as given, by group
 * @param wrong the groups, and settings beside them, in which the schema refuses something
 */
export function soundSettings(nested: Readonly<Record<string, unknown>>, wrong: readonly PropertyKey[]): SoundSettings {
  const groups = new Set(wrong);
  const replaced = Object.entries(nested).flatMap(([name, value]) => {
    if (!groups.has(name)) return [[name, value]];
    if (name === 'node') return [[name, noNode]];
    // A setting beside the groups has its default when it is missing.
    return settingGroups.has(name) ? [[name, {}]] : [];
  });
  const written = settingsSchema.parse(Object.fromEntries(replaced));
  return { written, isSound: (...asked) => asked.every((name) => !groups.has(name)) };
}
