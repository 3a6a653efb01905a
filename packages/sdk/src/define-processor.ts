import { checkDefinition } from './check-definition.ts';
import type { NoParams, ProcessorDefinition, Queries } from './definition.ts';
import { parseDuration } from './duration.ts';
import { DefinitionError } from './errors.ts';

/** A checked definition: what `compileProcessor` and `testProcessor` take. */
export interface Processor<I, O, S, P, Q> {
  readonly kind: 'holdfast/processor/v1';
  readonly name: string;
  readonly version: string;
  readonly definition: ProcessorDefinition<I, O, S, P, Q>;
  readonly idleMs: number;
}

/** For programs that load processors they know nothing about. */
// biome-ignore lint/suspicious/noExplicitAny: the types of a loaded job are not known
export type AnyProcessor = Processor<any, any, any, any, any>;

/**
 * Defines a job: what happens to one key. Types of records, outputs, state and params come from the literal.
 * @throws DefinitionError with all problems at once
 */
export function defineProcessor<
  I,
  // biome-ignore lint/complexity/noBannedTypes: a job without outputs has none to name
  O = {},
  S = unknown,
  P = NoParams,
  // No default: it would make the `ctx` of a query `any`.
  Q extends Queries<NoInfer<S>, NoInfer<P>> = Queries<S, P>,
>(definition: ProcessorDefinition<I, O, S, P, Q>): Processor<I, O, S, P, Q> {
  const problems = checkDefinition(definition);
  if (problems.length > 0) {
    const name = (definition as { name?: unknown } | null | undefined)?.name;
    throw new DefinitionError(typeof name === 'string' ? `processor '${name}'` : 'processor', problems);
  }
  return Object.freeze({
    kind: 'holdfast/processor/v1',
    name: definition.name,
    version: definition.version,
    definition,
    idleMs: parseDuration(definition.state.idle),
  });
}
