import type { StatusDocument } from '@holdfast/node';

/** The session of each node, by name. */
export function sessionsOf({ nodes }: StatusDocument): Map<string, string | null> {
  return new Map(nodes.map(({ id, session }) => [id, session.id]));
}

/** Those whose session is another one, or over. */
export function changedSessions(before: StatusDocument, after: StatusDocument): string[] {
  const now = sessionsOf(after);
  return [...sessionsOf(before)].filter(([id, session]) => now.get(id) !== session).map(([id]) => id);
}
