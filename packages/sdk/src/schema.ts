/**
 * What checks a value: a zod schema, or anything with `safeParse`.
 * The result's `data` is what the job sees; `error` says what was wrong.
 */
export interface Schema<T> {
  safeParse(value: unknown): { success: boolean; data?: T | undefined; error?: unknown };
}

/** Where and how a value missed its schema, without its contents: `user: invalid_type; ts: too_big`. */
export function describeSchemaError(error: unknown): string {
  const issues = (error as { issues?: unknown } | null)?.issues;
  if (!Array.isArray(issues)) return 'does not fit its schema';
  const shown = issues.slice(0, 5).map((issue: { path?: readonly PropertyKey[]; code?: unknown }) => {
    const path = (issue.path ?? []).map((part) => String(part)).join('.');
    return `${path === '' ? '(value)' : path}: ${String(issue.code ?? 'invalid')}`;
  });
  if (issues.length > shown.length) shown.push(`and ${issues.length - shown.length} more`);
  return shown.join('; ');
}

/** Like `describeSchemaError`, one entry per issue and with the schema's own text: for options, which are no secret. */
export function listSchemaIssues(error: unknown): { path: string; message: string }[] {
  const issues = (error as { issues?: unknown } | null)?.issues;
  if (!Array.isArray(issues) || issues.length === 0) return [{ path: '', message: 'a value that fits the schema' }];
  return issues.map((issue: { path?: readonly PropertyKey[]; message?: unknown }) => ({
    path: (issue.path ?? []).map((part) => String(part)).join('.'),
    message: String(issue.message ?? 'a value that fits the schema'),
  }));
}
