import { ChannelCredentials, ServerCredentials } from '@grpc/grpc-js';

/** Certificates of a node, PEM. Both sides of each link present one, signed by the private CA. */
export interface TlsFiles {
  readonly ca: Buffer;
  readonly cert: Buffer;
  readonly key: Buffer;
}

/**
 * Addresses may be anything (containers, proxies), so a server is not verified by its address: whoever has a certificate
 * of the private CA is of the cluster, and the hello says which session or node is wanted there.
 */
export function channelCredentials(tls: TlsFiles | null): ChannelCredentials {
  if (tls === null) return ChannelCredentials.createInsecure();
  return ChannelCredentials.createSsl(tls.ca, tls.key, tls.cert, { checkServerIdentity: () => undefined });
}

export function serverCredentials(tls: TlsFiles | null): ServerCredentials {
  if (tls === null) return ServerCredentials.createInsecure();
  return ServerCredentials.createSsl(tls.ca, [{ private_key: tls.key, cert_chain: tls.cert }], true);
}

/** Node ids that a peer's certificate names (its DNS subject alternative names); null without TLS. */
export function certifiedNames(context: {
  readonly sslPeerCertificate?: { readonly subjectaltname?: string | undefined } | undefined;
}): readonly string[] | null {
  if (context.sslPeerCertificate === undefined) return null;
  return (context.sslPeerCertificate.subjectaltname ?? '')
    .split(', ')
    .filter((name) => name.startsWith('DNS:'))
    .map((name) => name.slice(4));
}
