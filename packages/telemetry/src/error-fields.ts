export interface ErrorFields {
  readonly type: string;
  readonly message: string;
  readonly stack: string;
  readonly code?: unknown;
  readonly aggregateErrors?: readonly ErrorFields[];
}

const causesMax = 8;

/**
 * What a log says of an error: what it is, and of its causes. No other property of it: clients of databases put the
 * command there that failed, with the password or the user's row in it.
 */
export function errorFields(error: Error): ErrorFields {
  const { errors } = error as AggregateError;
  if (!Array.isArray(errors)) return plainFields(error);
  const some = errors.filter((one) => one instanceof Error).slice(0, causesMax);
  return { ...plainFields(error), aggregateErrors: some.map(plainFields) };
}

function plainFields(error: Error): ErrorFields {
  const causes = causesOf(error);
  const { code } = error as NodeJS.ErrnoException;
  const fields = {
    type: error.constructor?.name ?? error.name,
    message: causes.map(({ message }) => message).join(': '),
    stack: causes.map(({ stack, message }) => stack ?? message).join('\ncaused by: '),
  };
  return code === undefined ? fields : { ...fields, code };
}

/** The error first. */
function causesOf(error: Error): Error[] {
  const found = [error];
  for (let { cause } = error; cause instanceof Error && found.length < causesMax; { cause } = cause) {
    if (found.includes(cause)) break;
    found.push(cause);
  }
  return found;
}
