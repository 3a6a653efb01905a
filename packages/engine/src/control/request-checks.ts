import { ByteFormatError, type SessionId } from '@holdfast/model';
import type { AdminRequest, GiveUpRequest, SessionOpenRequest, SessionRequest } from './calls.ts';
import type { HandOverRequest } from './move-calls.ts';

/**
 * Types of what another process says in JSON. A text that looks like a number finds its place in a list, and breaks what
 * comes after: an entry that nobody can write, a shard that ends. All throw ByteFormatError.
 */
export type Fields = Readonly<Record<string, unknown>>;

export function fieldsOf(value: unknown, what: string): Fields {
  if (typeof value !== 'object' || value === null) throw new ByteFormatError(`${what} is an object`);
  return value as Fields;
}

function listOf(value: unknown, what: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new ByteFormatError(`${what} is a list`);
  return value;
}

export function checkCounts(fields: Fields, ...names: readonly string[]): void {
  for (const name of names) {
    const value = fields[name];
    if (!Number.isSafeInteger(value) || (value as number) < 0)
      throw new ByteFormatError(`${name} is a whole number from 0`);
  }
}

function checkUnit(fields: Fields): void {
  for (const name of ['hi', 'lo']) {
    const value = fields[name];
    if (!Number.isSafeInteger(value) || (value as number) >>> 0 !== value)
      throw new ByteFormatError(`${name} is half a unit, of 32 bits`);
  }
}

export function checkText(fields: Fields, name: string): void {
  if (typeof fields[name] !== 'string') throw new ByteFormatError(`${name} is a text`);
}

export function checkedSession(session: unknown): SessionId {
  checkCounts({ session }, 'session');
  return session as SessionId;
}

/** The rest of it is checked by who opens the session. */
export function checkedOpen(request: unknown): SessionOpenRequest {
  return fieldsOf(request, 'a request') as unknown as SessionOpenRequest;
}

export function checkedOfSession<T extends SessionRequest>(request: unknown): T {
  const fields = fieldsOf(request, 'a request');
  checkedSession(fields.session);
  return fields as unknown as T;
}

export function checkedGiveUp(request: unknown): GiveUpRequest {
  const checked = checkedOfSession<GiveUpRequest>(request);
  for (const item of listOf(checked.partitions, 'what is given up')) {
    const partition = fieldsOf(item, 'a partition');
    checkText(partition, 'topicId');
    checkCounts(partition, 'partition', 'epoch');
  }
  return checked;
}

export function checkedAdmin(request: unknown): AdminRequest {
  const checked = fieldsOf(request, 'a request') as unknown as AdminRequest;
  const fields: Fields = { ...checked };
  switch (checked.kind) {
    case 'forceRelease':
    case 'liftQuarantine':
      checkUnit(fields);
      break;
    case 'moveUnit':
      checkUnit(fields);
      checkText(fields, 'nodeId');
      if (checked.shard !== null) checkCounts(fields, 'shard');
      break;
    case 'setDraining':
      checkText(fields, 'nodeId');
      if (typeof checked.draining !== 'boolean') throw new ByteFormatError('draining is true or false');
      break;
    case 'forgetNode':
    case 'stopNode':
    case 'removeMember':
      checkText(fields, 'nodeId');
      break;
    case 'replaceTopic':
      checkText(fields, 'topic');
      break;
    case 'transferLeader':
      checkText(fields, 'to');
      break;
    default:
      throw new ByteFormatError('unknown request');
  }
  return checked;
}

export function checkedHandOver(request: unknown): HandOverRequest {
  const checked = checkedOfSession<HandOverRequest>(request);
  checkCounts({ ...checked }, 'shard');
  if (checked.plan !== undefined) {
    for (const item of listOf(checked.plan, 'a plan')) {
      checkCounts(fieldsOf(item, 'a move'), 'session', 'shard', 'count');
    }
  }
  if (checked.unit !== undefined) {
    const unit = fieldsOf(checked.unit, 'a unit');
    checkUnit(unit);
    checkCounts(fieldsOf(unit.to, 'where it goes'), 'session', 'shard');
  }
  return checked;
}
