import type { PeerCertificate } from 'node:tls';
import { ChannelCredentials, ServerCredentials } from '@grpc/grpc-js';

/** Certificates of a node, as PEM texts. Both sides of each link present one, signed by the private CA. */
export interface TlsFiles {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/**
 * Addresses may be anything (containers, proxies), so a server is not verified by its address: it must have a
 * certificate of the private CA, which names `node` if that is not null.
 */
export function channelCredentials(tls: TlsFiles | null, node: string | null): ChannelCredentials {
  if (tls === null) return ChannelCredentials.createInsecure();
  const [ca, cert, key] = [tls.ca, tls.cert, tls.key].map((text) => Buffer.from(text));
  return ChannelCredentials.createSsl(ca, key, cert, {
    checkServerIdentity: (_host: string, certificate: PeerCertificate) =>
      node === null || namesOf(certificate).includes(node)
        ? undefined
        : new Error(`the certificate does not name node ${node}`),
  });
}

export function serverCredentials(tls: TlsFiles | null): ServerCredentials {
  if (tls === null) return ServerCredentials.createInsecure();
  const pair = { private_key: Buffer.from(tls.key), cert_chain: Buffer.from(tls.cert) };
  return ServerCredentials.createSsl(Buffer.from(tls.ca), [pair], true);
}

/** Node ids that a peer's certificate names (its DNS subject alternative names); none without TLS. */
export function certifiedNames(context: {
  readonly sslPeerCertificate?: { readonly subjectaltname?: string | undefined } | undefined;
}): readonly string[] {
  return namesOf(context.sslPeerCertificate ?? {});
}

function namesOf({ subjectaltname }: { readonly subjectaltname?: string | undefined }): readonly string[] {
  return dnsNames(subjectaltname ?? '');
}

/**
 * The DNS names of a certificate's subject alternative names, as Node.js writes these: `DNS:n1, IP Address:10.0.0.1`, with
 * quotes around what could be taken for several.
 */
export function dnsNames(text: string): string[] {
  const names: string[] = [];
  for (const [, kind, value] of text.matchAll(/(?:^|, )([^:,"]+):("(?:[^"\\]|\\.)*"|[^,"]*)/gy)) {
    if (kind === 'DNS') names.push(value!);
  }
  return names;
}
