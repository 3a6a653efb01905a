export const transportErrorCodes = ['ADDRESS_IN_USE', 'LISTEN_FAILED'] as const;

/** Thrown when a server can't listen; match on `code`. */
export class TransportError extends Error {
  override readonly name = 'TransportError';
  readonly code: (typeof transportErrorCodes)[number];
  /** The address that was to be listened on. */
  readonly address: string;
  constructor(
    code: (typeof transportErrorCodes)[number],
    address: string,
    text: string,
    options?: { readonly cause?: unknown },
  ) {
    super(text, options);
    this.code = code;
    this.address = address;
  }
}

/** What arrived can't be handled: the stream or call it came in is refused with this text. */
export class WireError extends Error {
  override readonly name = 'WireError';
}

/** Longest text that goes into a status: it travels in a header. */
const statusTextLengthMax = 500;

/**
 * A text fit for a gRPC status: one line, printable ASCII or well-formed Unicode, bounded.
 * Lone surrogates would make grpc-js throw while it sends the status.
 */
export function statusText(text: string): string {
  let out = '';
  for (const char of text) {
    if (out.length >= statusTextLengthMax) return `${out}…`;
    const code = char.codePointAt(0)!;
    out += code < 0x20 || code === 0x7f || (code >= 0xd800 && code <= 0xdfff) ? ' ' : char;
  }
  return out;
}

/** What grpc-js says of a failed connection wraps the system's error in words of its own; people want the error. */
export function detailsText(details: string | undefined): string {
  const refused = /connect (E[A-Z]+)(?: ([\w.[\]:-]+[\w\]]))?/.exec(details ?? '');
  if (refused !== null) {
    const [, code, address] = refused;
    const what = code === 'ECONNREFUSED' ? 'connection refused' : `no connection (${code})`;
    if (address === undefined) return what;
    return code === 'ECONNREFUSED' ? `${what} by ${address}` : `${what} to ${address}`;
  }
  // An HTTP/1 server, the port of probes for one, answers in what HTTP/2 can't read.
  if (/Last error: Protocol error/.test(details ?? '')) return 'it speaks no gRPC: not the address of listen.control?';
  const tls = tlsText(details ?? '');
  if (tls !== null) return tls;
  const wrapped =
    /^No connection established\. Last error: (.+?)(?: \([\dT:.Z-]+\))?\.? *(?:Resolution note: *)?$/.exec(
      details ?? '',
    );
  if (wrapped !== null) return wrapped[1]!;
  return details === undefined || details === '' ? 'no details' : details;
}

/** What a connection ended for that one side takes for TLS and the other not, or in which a certificate isn't taken. */
function tlsText(details: string): string | null {
  if (/Last error: Failed to connect/.test(details)) {
    return "it ends connections at once: it wants a client's certificate (--tls-ca, --tls-cert, --tls-key), or not this one";
  }
  if (/SSL routines:[^:]*:wrong version number/.test(details)) return "it doesn't speak TLS";
  const reason = /SSL routines:[^:]*:([^:\n]+)/.exec(details);
  if (reason !== null) return `no TLS with it: ${reason[1]}`;
  const untrusted = /Last error: Error: (.*certificate.*?)\. *(?:Resolution note: *)?$/.exec(details);
  return untrusted === null ? null : `its certificate is refused: ${untrusted[1]}`;
}
