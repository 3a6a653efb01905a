/** Asks again and again until the answer is there. Fails at the deadline with what was waited for. */
export async function waitFor<T>(
  what: string,
  deadlineMs: number,
  ask: () => Promise<T | null> | T | null,
  everyMs = 100,
): Promise<T> {
  const endMs = performance.now() + deadlineMs;
  for (;;) {
    const answer = await ask();
    if (answer !== null) return answer;
    if (performance.now() > endMs) throw new Error(`waited ${deadlineMs} ms in vain for ${what}`);
    await pause(everyMs);
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
