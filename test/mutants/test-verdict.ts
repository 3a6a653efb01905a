/**
 * How a test ended that did not pass.
 * - failed: something was asserted, by the test, by a property or by our own code
 * - hung: it did not come to its end
 * - threw: a value was used as what it is not, which happened to be so under the bug
 * - broke: the code with the bug is no code, which any test sees and which shows nothing
 */
export type Ending = 'failed' | 'hung' | 'threw' | 'broke';

/** Of several endings the first of these tells. */
const order: readonly Ending[] = ['broke', 'failed', 'hung', 'threw'];

export function isTelling(ending: Ending, than: Ending): boolean {
  return order.indexOf(ending) < order.indexOf(than);
}

/** What the report of `node:test` has of a failed test. */
interface TestError {
  readonly failureType?: string;
  readonly cause?: unknown;
}

/** How a failed test ended; null where that is told of its parts. */
export function endingOf({ failureType, cause }: TestError): Ending | null {
  switch (failureType) {
    case 'subtestsFailed':
      return null;
    case 'testTimeoutFailure':
    case 'cancelledByParent':
      return 'hung';
    default:
      if (isBroken(cause)) return 'broke';
      return isThrown(cause) ? 'threw' : 'failed';
  }
}

/** Also where an assertion met it, or another error hides it. */
function isBroken(error: unknown): boolean {
  if (typeof error === 'string') return error.includes('ReferenceError: ');
  if (error instanceof AggregateError && error.errors.some(isBroken)) return true;
  if (!(error instanceof Error)) return false;
  if (error.name === 'ReferenceError' || ('code' in error && error.code === 'ERR_MODULE_NOT_FOUND')) return true;
  // Bytes from outside that are no JSON are an error like any other.
  if (error.name === 'SyntaxError' && !/JSON/.test(error.message)) return true;
  return isBroken(error.message) || isBroken(error.cause) || ('actual' in error && isBroken(error.actual));
}

function isThrown(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  // Of a property what failed in it.
  if (error.message.startsWith('Property failed after')) return isThrown(error.cause);
  return error.name === 'TypeError' || error.name === 'RangeError';
}
