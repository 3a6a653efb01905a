import { thrownText } from '@holdfast/model';
import { isStateRoot } from './clone-state.ts';
import { durationExpected, tryParseDuration } from './duration.ts';
import type { Problem } from './errors.ts';
import { nearestName } from './nearest-name.ts';
import { findPlainDataProblem } from './plain-data.ts';
import { findSharedPart } from './shared-part.ts';

type Fields = Readonly<Record<string, unknown>>;

const comesLater = {
  definition: [
    'windows',
    'timers',
    'onWindow',
    'onTimer',
    'tables',
    'lookups',
    'joins',
    'onJoin',
    'scorers',
    'delivery',
  ],
  input: ['lateness', 'idleAfter'],
  output: ['sink'],
  state: ['ttl'],
  retry: ['backoff'],
} as const;
const known = {
  definition: ['name', 'version', 'input', 'output', 'state', 'params', 'onEvent', 'query', 'onError', 'view'],
  input: ['topic', 'schema', 'parse', 'read', 'key', 'locateKey', 'time'],
  output: ['topic', 'schema', 'key', 'encode'],
  state: ['version', 'initial', 'upgrade', 'idle', 'codec', 'undo', 'bytesMax'],
  onError: ['retry', 'then'],
  retry: ['times'],
} as const;

/** All that is wrong with a definition, in the order of the literal. */
export function checkDefinition(definition: unknown): Problem[] {
  const problems: Problem[] = [];
  if (!isFields(definition)) {
    return [
      { path: 'definition', value: show(definition), expected: 'an object: name, version, input, state, onEvent' },
    ];
  }
  checkNames(problems, '', definition, known.definition, comesLater.definition);
  checkText(
    problems,
    'name',
    definition.name,
    /^[a-z][a-z0-9-]{0,62}$/,
    'lower-case letters, digits and dashes, 63 at most',
  );
  checkText(
    problems,
    'version',
    definition.version,
    /^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$/,
    "a text such as '1' or '2.1'",
  );
  checkInputs(problems, definition.input);
  if (definition.output !== undefined) checkOutputs(problems, definition.output);
  checkTopicsDiffer(problems, definition.input);
  checkState(problems, definition.state);
  if (definition.params !== undefined) checkSchema(problems, 'params', definition.params);
  checkHandlers(problems, definition);
  if (definition.onError !== undefined) checkOnError(problems, definition.onError);
  checkFunction(problems, 'view', definition.view, false);
  return problems;
}

function checkInputs(problems: Problem[], input: unknown): void {
  if (!isFields(input) || Object.keys(input).length === 0) {
    problems.push({ path: 'input', value: show(input), expected: 'an object with an input per name' });
    return;
  }
  for (const [name, spec] of Object.entries(input)) {
    const path = `input.${name}`;
    if (!isFields(spec)) {
      problems.push({ path, value: show(spec), expected: 'an object: topic, schema, key' });
      continue;
    }
    checkNames(problems, path, spec, known.input, comesLater.input);
    checkTopic(problems, `${path}.topic`, spec.topic);
    const forms = (['schema', 'parse', 'read'] as const).filter((form) => spec[form] !== undefined);
    if (forms.length !== 1) {
      const value = forms.length === 0 ? 'none of them' : forms.join(' and ');
      problems.push({ path, value, expected: 'exactly one of schema, parse, read' });
    }
    if (spec.schema !== undefined) checkSchema(problems, `${path}.schema`, spec.schema);
    checkFunction(problems, `${path}.parse`, spec.parse, false);
    checkFunction(problems, `${path}.time`, spec.time, false);
    checkFunction(problems, `${path}.locateKey`, spec.locateKey, false);
    if (spec.read !== undefined) {
      const reader: Fields = isFields(spec.read) ? spec.read : {};
      checkFunction(problems, `${path}.read.newKeyLocator`, reader.newKeyLocator, true);
      checkFunction(problems, `${path}.read.parse`, reader.parse, true);
      for (const other of ['key', 'locateKey'] as const) {
        if (spec[other] !== undefined) {
          problems.push({
            path: `${path}.${other}`,
            value: show(spec[other]),
            expected: 'nothing beside read, which finds the key',
          });
        }
      }
    } else checkFunction(problems, `${path}.key`, spec.key, true);
  }
}

function checkOutputs(problems: Problem[], output: unknown): void {
  if (!isFields(output)) {
    problems.push({ path: 'output', value: show(output), expected: 'an object with an output per name' });
    return;
  }
  for (const [name, spec] of Object.entries(output)) {
    const path = `output.${name}`;
    if (!isFields(spec)) {
      problems.push({ path, value: show(spec), expected: 'an object: topic, schema, key' });
      continue;
    }
    checkNames(problems, path, spec, known.output, comesLater.output);
    checkTopic(problems, `${path}.topic`, spec.topic);
    if (spec.schema !== undefined) checkSchema(problems, `${path}.schema`, spec.schema);
    checkFunction(problems, `${path}.key`, spec.key, false);
    checkFunction(problems, `${path}.encode`, spec.encode, false);
  }
}

/** A record is known by its topic: two inputs can't share one. */
function checkTopicsDiffer(problems: Problem[], input: unknown): void {
  if (!isFields(input)) return;
  const byTopic = new Map<unknown, string>();
  for (const [name, spec] of Object.entries(input)) {
    const topic = isFields(spec) ? spec.topic : undefined;
    if (typeof topic !== 'string') continue;
    const other = byTopic.get(topic);
    if (other !== undefined) {
      problems.push({
        path: `input.${name}.topic`,
        value: show(topic),
        expected: `another topic than that of input.${other}`,
      });
    }
    byTopic.set(topic, name);
  }
}

function checkState(problems: Problem[], state: unknown): void {
  if (!isFields(state)) {
    problems.push({ path: 'state', value: show(state), expected: 'an object: version, initial, idle' });
    return;
  }
  checkNames(problems, 'state', state, known.state, comesLater.state);
  const version = state.version;
  const versionOk = isWhole(version, 1, 2 ** 31);
  if (!versionOk) problems.push({ path: 'state.version', value: show(version), expected: 'a whole number from 1' });
  checkInitial(problems, state);
  const idleMs = tryParseDuration(state.idle);
  if (idleMs === null || idleMs <= 0)
    problems.push({ path: 'state.idle', value: show(state.idle), expected: durationExpected });
  if (state.undo !== undefined && state.undo !== 'copy' && state.undo !== 'none') {
    problems.push({ path: 'state.undo', value: show(state.undo), expected: "'copy' or 'none'" });
  }
  if (state.bytesMax !== undefined && !isWhole(state.bytesMax, 64, 2 ** 30)) {
    problems.push({ path: 'state.bytesMax', value: show(state.bytesMax), expected: 'bytes, from 64 to 2^30' });
  }
  if (state.codec !== undefined) {
    const codec: Fields = isFields(state.codec) ? state.codec : {};
    checkFunction(problems, 'state.codec.encode', codec.encode, true);
    checkFunction(problems, 'state.codec.decode', codec.decode, true);
  }
  if (state.upgrade !== undefined && versionOk) checkUpgrade(problems, state.upgrade, version as number);
}

/** The first state tells at once what the first record would. */
function checkInitial(problems: Problem[], state: Fields): void {
  if (!checkFunction(problems, 'state.initial', state.initial, true)) return;
  let initial: unknown;
  try {
    initial = (state.initial as () => unknown)();
  } catch (error) {
    problems.push({ path: 'state.initial()', value: `threw ${thrownText(error)}`, expected: 'a fresh state' });
    return;
  }
  if (typeof (initial as { then?: unknown } | null | undefined)?.then === 'function') {
    problems.push({ path: 'state.initial()', value: 'a promise', expected: 'a fresh state, at once' });
  } else if (typeof initial !== 'object' || initial === null || (state.codec === undefined && !isStateRoot(initial))) {
    const expected = 'an object, array, Map or Set of plain data: handlers change it in place';
    problems.push({ path: 'state.initial()', value: show(initial), expected });
  } else {
    const found = findPlainDataProblem(initial, 'state.initial()');
    if (found === null || state.codec !== undefined) checkShared(problems, state.initial as () => unknown, initial);
    if (found === null) return;
    if (state.codec === undefined) problems.push({ path: found.path, value: found.problem, expected: 'plain data' });
    else if (state.undo !== 'none') {
      const value = `${show(state.undo ?? 'copy')}, but ${found.path} is ${found.problem}`;
      problems.push({ path: 'state.undo', value, expected: "'none', since only plain data can be copied" });
    }
  }
}

/** A list that two first states share would be of all users. */
function checkShared(problems: Problem[], makeInitial: () => unknown, initial: unknown): void {
  let path: string | null;
  try {
    path = findSharedPart(initial, makeInitial(), 'state.initial()');
  } catch (error) {
    problems.push({
      path: 'state.initial()',
      value: `threw ${thrownText(error)} at a second call`,
      expected: 'a fresh state',
    });
    return;
  }
  if (path === null) return;
  problems.push({ path, value: 'the same object at each call', expected: 'a new one: users would share it' });
}

function checkUpgrade(problems: Problem[], upgrade: unknown, version: number): void {
  if (!isFields(upgrade)) {
    problems.push({ path: 'state.upgrade', value: show(upgrade), expected: 'an object: old version to step' });
    return;
  }
  const steps: number[] = [];
  for (const [from, step] of Object.entries(upgrade)) {
    const path = `state.upgrade.${from}`;
    checkFunction(problems, path, step, true);
    const value = Number(from);
    if (isWhole(value, 1, version - 1)) steps.push(value);
    else problems.push({ path, value: from, expected: `an older version than state.version, ${version}` });
  }
  if (steps.length === 0) return;
  const first = Math.min(...steps);
  for (let from = first; from < version; from++) {
    if (steps.includes(from)) continue;
    const expected = `a step from version ${from} to ${from + 1}, else backups of version ${first} can't be read`;
    problems.push({ path: `state.upgrade.${from}`, value: 'missing', expected });
  }
}

function checkHandlers(problems: Problem[], definition: Fields): void {
  const inputs = isFields(definition.input) ? Object.keys(definition.input) : [];
  const handlers = definition.onEvent;
  if (!isFields(handlers)) {
    problems.push({ path: 'onEvent', value: show(handlers), expected: 'an object with a handler per input' });
  } else {
    checkNames(problems, 'onEvent', handlers, inputs, []);
    for (const name of inputs) checkFunction(problems, `onEvent.${name}`, handlers[name], true);
  }
  if (definition.query === undefined) return;
  if (!isFields(definition.query)) {
    problems.push({ path: 'query', value: show(definition.query), expected: 'an object with a function per query' });
  } else
    for (const [name, query] of Object.entries(definition.query)) checkFunction(problems, `query.${name}`, query, true);
}

function checkOnError(problems: Problem[], onError: unknown): void {
  if (!isFields(onError)) {
    problems.push({ path: 'onError', value: show(onError), expected: 'an object: retry, then' });
    return;
  }
  checkNames(problems, 'onError', onError, known.onError, []);
  const then = onError.then;
  if (then !== undefined && then !== 'dead-letter' && then !== 'skip' && then !== 'stop') {
    const nearest = typeof then === 'string' ? nearestName(then, ['dead-letter', 'skip', 'stop']) : undefined;
    push(problems, 'onError.then', show(then), "'dead-letter', 'skip' or 'stop'", nearest);
  }
  const retry = onError.retry;
  if (retry === undefined) return;
  if (!isFields(retry)) {
    problems.push({ path: 'onError.retry', value: show(retry), expected: 'an object: times' });
    return;
  }
  checkNames(problems, 'onError.retry', retry, known.retry, comesLater.retry);
  if (!isWhole(retry.times, 0, 100)) {
    problems.push({ path: 'onError.retry.times', value: show(retry.times), expected: 'a whole number from 0 to 100' });
  }
}

function checkNames(
  problems: Problem[],
  path: string,
  fields: Fields,
  names: readonly string[],
  later: readonly string[],
): void {
  for (const name of Object.keys(fields)) {
    if (names.includes(name) || fields[name] === undefined) continue;
    const at = path === '' ? name : `${path}.${name}`;
    if (later.includes(name))
      problems.push({ path: at, value: 'comes later', expected: 'nothing yet: this release has none' });
    else push(problems, at, 'unknown name', `one of ${names.join(', ')}`, nearestName(name, names));
  }
}

function push(problems: Problem[], path: string, value: string, expected: string, nearest: string | undefined): void {
  problems.push(nearest === undefined ? { path, value, expected } : { path, value, expected, nearest });
}

function checkText(problems: Problem[], path: string, value: unknown, pattern: RegExp, expected: string): void {
  if (typeof value !== 'string' || !pattern.test(value)) problems.push({ path, value: show(value), expected });
}

/** By what a function says that it is, which holds for functions of other contexts too. */
const notSynchronous = new Map([
  ['[object AsyncFunction]', 'an async function'],
  ['[object GeneratorFunction]', 'a generator'],
  ['[object AsyncGeneratorFunction]', 'an async generator'],
]);

/** What Kafka takes as a topic name, too. */
export const topicPattern = /^(?!\.\.?$)[A-Za-z0-9._-]{1,249}$/;
export const topicExpected = 'a topic name: letters, digits, dot, dash, underscore, 249 at most';

function checkTopic(problems: Problem[], path: string, value: unknown): void {
  checkText(problems, path, value, topicPattern, topicExpected);
}

function checkSchema(problems: Problem[], path: string, value: unknown): void {
  if (typeof (value as { safeParse?: unknown } | null | undefined)?.safeParse === 'function') return;
  problems.push({ path, value: show(value), expected: 'a zod schema, or an object with safeParse' });
}

function checkFunction(problems: Problem[], path: string, value: unknown, needed: boolean): boolean {
  if (typeof value === 'function') return checkSynchronous(problems, path, value);
  if (value === undefined && !needed) return false;
  problems.push({ path, value: value === undefined ? 'missing' : show(value), expected: 'a function' });
  return false;
}

/** What such a function gives is never what is wanted of it, and an async handler goes on when its record is long over. */
function checkSynchronous(problems: Problem[], path: string, value: object): boolean {
  const kind = notSynchronous.get(Object.prototype.toString.call(value));
  if (kind !== undefined) problems.push({ path, value: kind, expected: 'a function that has ended when it returns' });
  return kind === undefined;
}

function isWhole(value: unknown, min: number, max: number): boolean {
  return typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max;
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A value in an error text: short, quoted when a text. */
export function show(value: unknown): string {
  if (value === undefined) return 'missing';
  if (typeof value === 'string') return `'${value.length > 40 ? `${value.slice(0, 40)}…` : value}'`;
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'a list' : 'an object';
  return String(value);
}
