import type { StatusDocument } from '@holdfast/node';

/** @throws Error when a node of the first status has another session, or none, in the second */
export function sameSessions(before: StatusDocument, after: StatusDocument, ids: readonly string[] = []): void {
  for (const { id, session } of before.nodes) {
    if (ids.length > 0 && !ids.includes(id)) continue;
    if (after.nodes.find((row) => row.id === id)?.session.id !== session.id)
      throw new Error(`the session of ${id} ended`);
  }
}
