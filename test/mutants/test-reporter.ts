import type { TestEvent } from 'node:test/reporters';
import { endingOf } from './test-verdict.ts';

/** Before a line of the report: tests print, too. */
export const reportMark = '@@report ';

/** A reporter of `node:test` for `test-run.ts`: a line for each test that has come to its end, and one more for each that failed. */
export default async function* report(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const { type, data } of source) {
    if (type === 'test:complete') yield line({ name: data.name, ending: null });
    if (type !== 'test:fail') continue;
    const { error } = data.details;
    const ending = endingOf(error);
    if (ending !== null) yield line({ name: data.name, ending, text: String(error.cause ?? error.message) });
  }
}

function line(told: { readonly name: string; readonly ending: string | null; readonly text?: string }): string {
  return `\n${reportMark}${JSON.stringify(told)}\n`;
}
