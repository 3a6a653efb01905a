import { createPrivateKey, X509Certificate } from 'node:crypto';
import { errorText } from '@holdfast/model';
import { dnsNames, type TlsFiles } from '@holdfast/transport-grpc';
import type { NodeConfig, NodeTlsConfig } from '../config/node-config.ts';
import { ServiceError } from './services/service-error.ts';
import { readSettingFile } from './services/setting-file.ts';

/** The certificates of a node or an operator can't be used; a line per problem, none of which has anything of a key. */
export class TlsFilesError extends Error {
  override readonly name = 'TlsFilesError';
  readonly code = 'TLS_UNUSABLE';
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.problems = problems;
  }
}

type Part = keyof TlsFiles;

/** Whose certificate it is to be, and how the settings are called. */
export interface TlsOwner {
  /** Whom the certificate has to name, as server and as client; null: an operator's, a client's only. */
  readonly nodeId: string | null;
  readonly nowUnixMs: number;
  /** `tls.ca`, `--tls-ca`. */
  label(part: Part): string;
}

/** OpenSSL takes a certificate with extended key usages only for these. */
const usages = { server: '1.3.6.1.5.5.7.3.1', client: '1.3.6.1.5.5.7.3.2' } as const;

/**
 * The certificates as configured, null where none are. Read first of all, before anything is opened, and again only when
 * the node starts.
 * @throws TlsFilesError with all problems
 */
export function readNodeTls({ tls, nodeId }: Pick<NodeConfig, 'tls' | 'nodeId'>, nowUnixMs: number): TlsFiles | null {
  return tls === null ? null : readTlsFiles(tls, { nodeId, nowUnixMs, label: (part) => `tls.${part}` });
}

/** Reads the files, and checks what the others would refuse. @throws TlsFilesError with all problems */
export function readTlsFiles({ caFile, certFile, keyFile }: NodeTlsConfig, owner: TlsOwner): TlsFiles {
  const paths = { ca: caFile, cert: certFile, key: keyFile };
  const problems: string[] = [];
  const report = (part: Part, what: string) => void problems.push(`${owner.label(part)}: ${paths[part]} ${what}`);
  const read = (part: Part): string | null => {
    try {
      return readSettingFile(owner.label(part), paths[part]).toString('utf8');
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      problems.push(error.message);
      return null;
    }
  };
  const [ca, cert, key] = [read('ca'), read('cert'), read('key')];
  const authorities = ca === null ? [] : certificatesIn(ca, (what) => report('ca', what));
  const chain = cert === null ? [] : certificatesIn(cert, (what) => report('cert', what));
  const [own] = chain;
  if (own !== undefined) {
    checkUse(own, owner, (what) => report('cert', what));
    if (authorities.length > 0 && !isSigned(own, chain, authorities)) {
      report(
        'cert',
        `is not signed by what is in ${owner.label('ca')} (${caFile}); its issuer is ${inLine(own.issuer)}`,
      );
    }
  }
  if (key !== null) checkKey(key, own, certFile, (what) => report('key', what));
  if (problems.length > 0) throw new TlsFilesError(problems);
  return { ca: ca!, cert: cert!, key: key! };
}

type Report = (what: string) => void;

/** None where one of them can not be read. */
function certificatesIn(pem: string, report: Report): X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0) report('has no certificate in it (PEM)');
  try {
    return blocks.map((block) => new X509Certificate(block));
  } catch {
    report("has a certificate in it that can't be read");
    return [];
  }
}

function checkUse(own: X509Certificate, { nodeId, nowUnixMs }: TlsOwner, report: Report): void {
  if (Date.parse(own.validTo) <= nowUnixMs) report(`has expired, on ${isoTime(own.validTo)}`);
  if (Date.parse(own.validFrom) > nowUnixMs) report(`is not valid before ${isoTime(own.validFrom)}`);
  const names = dnsNames(own.subjectAltName ?? '');
  if (nodeId !== null && !names.includes(nodeId)) {
    const has = names.length === 0 ? 'no DNS names (subjectAltName)' : `the DNS names ${names.join(', ')}`;
    report(`does not name this node: it has ${has}, and node.id is ${nodeId}`);
  }
  const wanted = nodeId === null ? (['client'] as const) : (['server', 'client'] as const);
  // Undefined: it is good for everything.
  const given: readonly string[] | undefined = own.keyUsage;
  const lacking = wanted.filter((use) => given !== undefined && !given.includes(usages[use]));
  if (lacking.length > 0) report(`is not for use by a ${lacking.join(' and a ')} (extendedKeyUsage)`);
}

/** Whether the others, who have these authorities, would take it. */
function isSigned(
  own: X509Certificate,
  chain: readonly X509Certificate[],
  authorities: readonly X509Certificate[],
): boolean {
  let last = own;
  for (let length = 0; length <= chain.length; length++) {
    const issuedLast = (by: X509Certificate) => last.checkIssued(by) && last.verify(by.publicKey);
    if (authorities.some(issuedLast)) return true;
    const between = chain.find(issuedLast);
    if (between === undefined) return false;
    last = between;
  }
  return false;
}

function checkKey(pem: string, own: X509Certificate | undefined, certFile: string, report: Report): void {
  let key: ReturnType<typeof createPrivateKey> | null = null;
  try {
    key = createPrivateKey(pem);
  } catch (error) {
    const isLocked = /passphrase|encrypted/i.test(errorText(error)) || /BEGIN ENCRYPTED PRIVATE KEY/.test(pem);
    report(isLocked ? 'needs a passphrase, and there is none to give' : 'has no private key in it (PEM)');
  }
  const fits = key === null || own === undefined || own.checkPrivateKey(key);
  if (!fits) report(`is not the key of the certificate in ${certFile}`);
}

function isoTime(openSslTime: string): string {
  return new Date(openSslTime).toISOString();
}

function inLine(name: string): string {
  return name.replaceAll('\n', ', ');
}
