import type { MethodDefinition, ServiceDefinition } from '@grpc/grpc-js';
import { fromJSON } from '@grpc/proto-loader';
import { assert } from '@holdfast/model';
import protobuf from 'protobufjs';
import { protoText } from './generated/proto-text.ts';

/** Version of the record and peer protocols: another one is refused by the hello. */
export const protocolVersion = 3;

function load(): ReturnType<typeof fromJSON> {
  const root = new protobuf.Root();
  for (const text of Object.values(protoText)) protobuf.parse(text, root);
  return fromJSON(root.toJSON(), { longs: Number, defaults: true, oneofs: true });
}

const definitions = load();

/** Serializers that pass bytes through. */
export const asIs = (bytes: Buffer): Buffer => bytes;

/**
 * The definition of a service as our handlers want it: messages arrive as bytes and are decoded by the handler, which
 * can then say what was wrong with them; grpc-js itself would answer INTERNAL without a reason.
 */
export function rawService(name: 'Records' | 'Peers' | 'Admin'): ServiceDefinition {
  const service = definitions[`holdfast.v1.${name}`] as ServiceDefinition | undefined;
  assert(service !== undefined, `no service ${name} in the proto files`);
  return Object.fromEntries(
    Object.entries(service).map(([method, definition]) => [
      method,
      {
        ...definition,
        requestSerialize: asIs,
        requestDeserialize: asIs,
        responseSerialize: asIs,
        responseDeserialize: asIs,
      },
    ]),
  );
}

/** Encodes and decodes one message type; field names in camelCase, uint64 as numbers. */
export interface MessageCodec<T> {
  encode(message: T): Buffer;
  /** @throws Error when the bytes are no such message */
  decode(bytes: Uint8Array): T;
}

/** The codec of a method's request or response. */
export function codecOf<T>(
  service: 'Records' | 'Peers' | 'Admin',
  method: string,
  side: 'request' | 'response',
): MessageCodec<T> {
  const definition = (definitions[`holdfast.v1.${service}`] as ServiceDefinition)[method] as
    | MethodDefinition<object, object>
    | undefined;
  assert(definition !== undefined, `no method ${service}.${method} in the proto files`);
  const encode = side === 'request' ? definition.requestSerialize : definition.responseSerialize;
  const decode = side === 'request' ? definition.requestDeserialize : definition.responseDeserialize;
  return { encode: (message) => encode(message as object), decode: (bytes) => decode(bytes as Buffer) as T };
}

export const paths = {
  frames: '/holdfast.v1.Records/Frames',
  raft: '/holdfast.v1.Peers/Raft',
  calls: '/holdfast.v1.Peers/Calls',
  adminStatus: '/holdfast.v1.Admin/Status',
  adminGetUser: '/holdfast.v1.Admin/GetUser',
  adminExport: '/holdfast.v1.Admin/Export',
  adminAct: '/holdfast.v1.Admin/Act',
} as const;
