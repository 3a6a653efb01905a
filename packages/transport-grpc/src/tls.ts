import type { PeerCertificate } from 'node:tls';
import { ChannelCredentials, ServerCredentials } from '@grpc/grpc-js';

/** Certificates of a node, PEM. Both sides of each link present one, signed by the private CA. */
export interface TlsFiles {
  readonly ca: Buffer;
  readonly cert: Buffer;
  readonly key: Buffer;
}

/**
 * Addresses may be anything (containers, proxies), so a server is not verified by its address: it must have a
 * certificate of the private CA, which names `node` if that is not null. Shards say by their session who they are.
 */
export function channelCredentials(tls: TlsFiles | null, node: string | null): ChannelCredentials {
  if (tls === null) return ChannelCredentials.createInsecure();
  return ChannelCredentials.createSsl(tls.ca, tls.key, tls.cert, {
    checkServerIdentity: (_host: string, certificate: PeerCertificate) =>
      node === null || namesOf(certificate).includes(node)
        ? undefined
        : new Error(`the certificate does not name node ${node}`),
  });
}

export function serverCredentials(tls: TlsFiles | null): ServerCredentials {
  if (tls === null) return ServerCredentials.createInsecure();
  return ServerCredentials.createSsl(tls.ca, [{ private_key: tls.key, cert_chain: tls.cert }], true);
}

/** Node ids that a peer's certificate names (its DNS subject alternative names); null without TLS. */
export function certifiedNames(context: {
  readonly sslPeerCertificate?: { readonly subjectaltname?: string | undefined } | undefined;
}): readonly string[] | null {
  return context.sslPeerCertificate === undefined ? null : namesOf(context.sslPeerCertificate);
}

function namesOf(certificate: { readonly subjectaltname?: string | undefined }): readonly string[] {
  return (certificate.subjectaltname ?? '')
    .split(', ')
    .filter((name) => name.startsWith('DNS:'))
    .map((name) => name.slice(4));
}
