/** Seeds that have failed, with what they found; as the corpus of the control planes. */
export const corpus: readonly { readonly seed: number; readonly found: string }[] = [];
