/** A handler reached for something that would give another result on a replay. */
export class ForbiddenCallError extends Error {
  override readonly name = 'ForbiddenCallError';
  readonly code = 'FORBIDDEN_CALL';
}

type Host = Record<PropertyKey, unknown>;

const useNow = 'use ctx.now';
const useRandom = 'use ctx.random() or ctx.id()';
const useTimer = 'timers come later; handlers are synchronous';
const useTable = 'outside data comes as a table, lookup or scorer; all come later';
const useParams = 'use ctx.params for settings';

/** [object on globalThis, '' for globalThis itself; name; what to do instead] */
const functions: readonly (readonly [string, string, string])[] = [
  ['Date', 'now', useNow],
  ['Math', 'random', useRandom],
  ['performance', 'now', useNow],
  ['crypto', 'randomUUID', useRandom],
  ['crypto', 'getRandomValues', useRandom],
  ['', 'setTimeout', useTimer],
  ['', 'setInterval', useTimer],
  ['', 'setImmediate', useTimer],
  ['', 'queueMicrotask', useTimer],
  ['', 'fetch', useTable],
];

/**
 * Runs `work` with the forbidden globals replaced by ones that throw, naming what to use instead. For tests only.
 * What a module took from the globals when it was loaded (`const { now } = Date`) is out of reach.
 */
export function withForbiddenCalls<T>(work: () => T): T {
  const calls: ForbiddenCallError[] = [];
  const host = globalThis as unknown as Host;
  const undo: (() => void)[] = [];
  const replace = (object: Host, name: string, value: unknown): void => {
    const before = Object.getOwnPropertyDescriptor(object, name);
    if (before !== undefined && before.configurable !== true) return;
    Object.defineProperty(object, name, {
      value,
      writable: true,
      configurable: true,
      enumerable: before?.enumerable ?? false,
    });
    undo.push(() => {
      if (before === undefined) delete object[name];
      else Object.defineProperty(object, name, before);
    });
  };
  let result: T;
  try {
    for (const [on, name, instead] of functions) {
      const object = on === '' ? host : (host[on] as Host | undefined);
      if (object !== undefined && name in object)
        replace(object, name, refuse(calls, on === '' ? name : `${on}.${name}`, instead));
    }
    replace(host, 'Date', dateWithoutNow(calls));
    if ('process' in host) replace(host, 'process', refusingObject(calls, 'process', useParams));
    result = work();
  } finally {
    for (const back of undo.reverse()) back();
  }
  // A handler may have caught it, and the job has made a dead letter of it: a test has to hear of it all the same.
  if (calls.length > 0) throw calls[0]!;
  return result;
}

function refuse(calls: ForbiddenCallError[], name: string, instead: string): () => never {
  return () => {
    const error = new ForbiddenCallError(`${name} is forbidden in handlers, since a replay would differ: ${instead}`);
    calls.push(error);
    throw error;
  };
}

/** `new Date(ctx.now)` stays: only the wall clock is shut. */
function dateWithoutNow(calls: ForbiddenCallError[]): DateConstructor {
  return new Proxy(Date, {
    construct(target, args, newTarget) {
      if (args.length === 0) refuse(calls, 'new Date()', `${useNow}: new Date(ctx.now)`)();
      return Reflect.construct(target, args, newTarget) as object;
    },
    apply: refuse(calls, 'Date()', useNow),
  });
}

function refusingObject(calls: ForbiddenCallError[], name: string, instead: string): object {
  return new Proxy({}, { get: (_target, member) => refuse(calls, `${name}.${String(member)}`, instead)() });
}
