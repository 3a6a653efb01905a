/** What a store has noted of the generation that it was last adopted as. */
export interface Adoption {
  readonly id: string;
  /** The generation that it continued then; '': none. */
  readonly from: string;
}

/**
 * How a store answers `adopt(id, current)`, given what it has noted, and what it notes. `from` is known to have been the
 * log's generation when it was noted; so a store that has noted `current` there, and another id since, was nobody's in
 * between: nothing was written to it by that id (PROTOCOL.md 5.8). `id` = `current` notes what a store of before
 * there were notes has always been; one that has a note keeps it.
 * @param isEmpty neither rows nor markers are in it: it continues whatever there was
 */
export function adopted(
  noted: Adoption | null,
  id: string,
  current: string,
  isEmpty: boolean,
): { readonly continues: boolean; readonly adoption: Adoption } {
  if (noted?.id === id) return { continues: id === current || noted.from === current, adoption: noted };
  if (id === current && noted !== null) return { continues: true, adoption: noted };
  const isSame = id === current || noted?.id === current || noted?.from === current;
  const continues = isSame || (noted === null && isEmpty);
  return { continues, adoption: { id, from: continues ? current : '' } };
}
