export {
  AdminClient,
  type AdminClientOptions,
  AdminError,
  type AdminErrorCode,
  adminErrorCodes,
} from './admin-client.ts';
export { type AdminDocument, type AdminHandlers, AdminServer } from './admin-server.ts';
export { protocolVersion } from './definitions.ts';
export { TransportError, transportErrorCodes } from './errors.ts';
export { defaultLimits, type TransportLimits } from './limits.ts';
export { GrpcPeerTransport, type GrpcPeerTransportOptions } from './peer-transport.ts';
export { GrpcRecordTransport, type GrpcRecordTransportOptions, type RecordTls } from './record-transport.ts';
export { ServerHost, type ServerHostOptions } from './server-host.ts';
export { dnsNames, type TlsFiles } from './tls.ts';
