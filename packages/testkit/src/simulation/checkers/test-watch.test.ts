import assert from 'node:assert/strict';

/** Each checker is shown a history without a fault, in which it must see none, and one with, which it must see. */
export function watched() {
  const reports: string[] = [];
  const saw = (invariant: string): void => {
    assert.equal(reports.length, 1, reports.join('; '));
    assert.ok(reports[0]!.startsWith(`${invariant}: `), reports[0]);
    reports.length = 0;
  };
  return {
    report: (text: string): void => void reports.push(text),
    saw,
    sawNothing: () => assert.deepEqual(reports, []),
  };
}
