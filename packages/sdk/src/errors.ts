import { StateFaultError, StopWantedError } from '@holdfast/processor';

/** One thing wrong in a definition or its options. */
export interface Problem {
  /** Where, as written in the literal: `state.idle`. */
  readonly path: string;
  /** What was found there, short. */
  readonly value: string;
  /** What belongs there. */
  readonly expected: string;
  /** The known name that was probably meant. */
  readonly nearest?: string;
}

/** All problems of a definition (or of the options it is compiled with), in one error. */
export class DefinitionError extends Error {
  override readonly name = 'DefinitionError';
  readonly code = 'DEFINITION_INVALID';
  readonly problems: readonly Problem[];

  constructor(subject: string, problems: readonly Problem[]) {
    const lines = problems.map(
      (p) =>
        `  ${p.path}: ${p.value}; expected ${p.expected}${p.nearest === undefined ? '' : `; did you mean '${p.nearest}'?`}`,
    );
    super(`${subject} has ${problems.length} problem${problems.length === 1 ? '' : 's'}:\n${lines.join('\n')}`);
    this.problems = problems;
  }
}

export const stateErrorCodes = [
  /** The state holds something that can't be written: a function, a class instance, a cycle, too much depth. */
  'STATE_NOT_PLAIN',
  'STATE_TOO_LARGE',
  /** Bytes that no encoder of this package wrote. */
  'STATE_FORMAT',
  /** Written by a newer version, or by an older one without a step to the current. */
  'STATE_VERSION',
  /** The author's upgrade step or codec threw, or gave no state. */
  'STATE_UPGRADE',
  /** The author's codec gave no bytes. */
  'STATE_CODEC',
] as const;
export type StateErrorCode = (typeof stateErrorCodes)[number];

/** A state that can't be written, copied or read. Callers match on `code`. */
export class StateError extends StateFaultError {
  override readonly name = 'StateError';
  readonly code: StateErrorCode;
  /** Where in the state, as `state property 2[3]`: names in it are data of users. Empty when the whole is meant. */
  readonly path: string;

  constructor(code: StateErrorCode, text: string, path = '', options?: { cause: unknown }) {
    super(path === '' ? text : `${path}: ${text}`, options);
    this.code = code;
    this.path = path;
  }
}

export const jobStopCodes = [
  /** The handler threw, and the job says `then: 'stop'`. */
  'HANDLER_STOP',
  /** The handler returned a promise. */
  'ASYNC_HANDLER',
] as const;
export type JobStopCode = (typeof jobStopCodes)[number];

/**
 * Thrown by `apply`: the job must stop, and with it, since a node runs one job, the node. State and outputs of the record are
 * as before it; nothing is buried, and nobody quarantined.
 */
export class JobStopError extends StopWantedError {
  override readonly name = 'JobStopError';
  readonly code: JobStopCode;

  constructor(code: JobStopCode, text: string, options?: { cause: unknown }) {
    super(text, options);
    this.code = code;
  }
}
