/**
 * Runs `work` on every item, at most `max` at a time. The first failure rejects, once what is under way has ended; nothing
 * new is begun after it.
 */
export async function eachBounded<T>(
  items: readonly T[],
  max: number,
  work: (item: T, index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  let failure: { readonly error: unknown } | null = null;
  async function worker(): Promise<void> {
    while (next < items.length && failure === null) {
      const index = next++;
      try {
        await work(items[index]!, index);
      } catch (error) {
        failure ??= { error };
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(max, items.length) }, worker));
  if (failure !== null) throw (failure as { readonly error: unknown }).error;
}
