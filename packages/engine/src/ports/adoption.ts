/** What a store has noted of the generation that it was last adopted as. */
export interface Adoption {
  readonly id: string;
  /** The generation that it continued then; '': none. */
  readonly from: string;
}

/**
 * How a store answers `adopt(id, current)`, given what it has noted, and what it notes. `from` is known to have been the
 * log's generation when it was noted; so a store that has noted `current` there, and another id since, was nobody's in
 * between: nothing was written to it by that id (PROTOCOL.md 5.8).
 */
export function adopted(
  noted: Adoption | null,
  id: string,
  current: string,
): { readonly continues: boolean; readonly adoption: Adoption } {
  if (noted?.id === id) return { continues: noted.from === current, adoption: noted };
  const continues = noted === null || noted.id === current || noted.from === current;
  return { continues, adoption: { id, from: continues ? current : '' } };
}
