import type { AdminRequest, ControlPlane, LeaderReply } from '@holdfast/engine';

/** Schema of the answer to an operator's act. */
export const actSchemaName = 'holdfast/act/v1';

/** Who holds a unit before, and who is to. */
export interface ActPlace {
  readonly node: string;
  readonly shard: number;
}

/** REFUSED: asking again won't help; UNAVAILABLE: there is no leader, or whom it concerns can't be reached. */
export interface ActDocument {
  readonly schema: typeof actSchemaName;
  readonly code: 'OK' | 'REFUSED' | 'UNAVAILABLE';
  /** Why not; or what is to be said of what was done. */
  readonly text: string | null;
  /** Of a move of one unit. */
  readonly from: ActPlace | null;
  readonly to: ActPlace | null;
}

const actDeadlineMs = 4_000;

/** Carries out what an operator asks of this node or, through it, of the leader. */
export async function act(control: ControlPlane, request: unknown): Promise<ActDocument> {
  const wishes = parse(request);
  if (typeof wishes === 'string') return answer('REFUSED', wishes);
  let done = answer('OK', null);
  for (const wish of wishes) {
    done = documentOf(await control.admin(wish, actDeadlineMs));
    const isDone = done.code === 'OK' || (wish.kind === 'removeMember' && /is no member$/.test(done.text ?? ''));
    if (!isDone) return done;
  }
  return done;
}

function documentOf(reply: LeaderReply): ActDocument {
  if (reply.code === 'OK') {
    const { from, to, text = null } = reply as { from?: PlaceReply; to?: PlaceReply; text?: string | null };
    return { ...answer('OK', text), from: placeOf(from), to: placeOf(to) };
  }
  if (reply.code === 'REFUSED') return answer('REFUSED', refusalText(reply.text));
  return answer('UNAVAILABLE', reply.code === 'RETRY' ? reply.text : 'no leader is known');
}

interface PlaceReply {
  readonly nodeId: string;
  readonly shard: number;
}

function placeOf(place: PlaceReply | undefined): ActPlace | null {
  return place === undefined ? null : { node: place.nodeId, shard: place.shard };
}

function answer(code: ActDocument['code'], text: string | null): ActDocument {
  return { schema: actSchemaName, code, text, from: null, to: null };
}

/** What to ask of the leader, in this order; or what is wrong with the request, which comes from outside. */
function parse(request: unknown): AdminRequest[] | string {
  if (typeof request !== 'object' || request === null) return 'a request is an object';
  const { kind, node, unit, topic, shard = null } = request as Readonly<Record<string, unknown>>;
  const isAboutUnit = kind === 'moveUnit' || kind === 'releaseUser';
  if (isAboutUnit && (typeof unit !== 'string' || !/^[0-9a-f]{16}$/.test(unit)))
    return 'unit: 16 hex digits are wanted';
  const unitText = String(unit);
  const [hi, lo] = [Number.parseInt(unitText.slice(0, 8), 16), Number.parseInt(unitText.slice(8), 16)];
  if (kind === 'releaseUser') return [{ kind: 'liftQuarantine', hi, lo }];
  if (kind === 'replaceTopic') {
    return typeof topic === 'string' && topic !== '' ? [{ kind, topic }] : 'topic: the name of a topic is wanted';
  }
  if (typeof node !== 'string' || node === '') return 'node: the name of a node is wanted';
  switch (kind) {
    case 'moveUnit': {
      if (shard !== null && !(Number.isInteger(shard) && (shard as number) >= 0))
        return 'shard: a whole number is wanted';
      return [{ kind, hi, lo, nodeId: node, shard: shard as number | null }];
    }
    case 'drainNode':
    case 'resumeNode':
      return [{ kind: 'setDraining', nodeId: node, draining: kind === 'drainNode' }];
    case 'stopNode':
      return [{ kind, nodeId: node }];
    case 'removeNode':
      return [
        { kind: 'removeMember', nodeId: node },
        { kind: 'forgetNode', nodeId: node },
      ];
    default:
      return `unknown act ${JSON.stringify(kind)}`;
  }
}

const texts: Readonly<Record<string, string>> = {
  LAST_NODE: 'no other live node would be left to hold its keys',
  NODE_UNKNOWN: 'no such node has ever joined',
  NODE_ALIVE: 'it is running: stop it first',
  NODE_DRAINING: 'that node is draining',
  NOT_QUARANTINED: 'this user is not in quarantine',
};

/** Refusals of the lease service are data; an operator gets a sentence. */
function refusalText(text: string): string {
  try {
    const { code } = JSON.parse(text) as { code?: string };
    return texts[code ?? ''] ?? text;
  } catch {
    return text;
  }
}
