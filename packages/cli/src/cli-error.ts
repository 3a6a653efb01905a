import { type ExitCode, exitCodes } from './exit-codes.ts';

/** A command that can't do its work: one line for people, a code for programs. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly exit: ExitCode;
  /** Upper case words: part of holdfast/error/v1. */
  readonly code: string;

  constructor(exit: ExitCode, code: string, text: string, options?: { readonly cause?: unknown }) {
    super(text, options);
    this.exit = exit;
    this.code = code;
  }
}

export function failed(code: string, text: string, cause?: unknown): CliError {
  return new CliError(exitCodes.failed, code, text, { cause });
}

export function usage(text: string): CliError {
  return new CliError(exitCodes.usage, 'USAGE', text);
}

interface CodedError {
  readonly name?: string;
  readonly code?: unknown;
  readonly address?: unknown;
  readonly failure?: { readonly code?: string; readonly address?: string; readonly problems?: readonly string[] };
}

/** The error as its user should see it. What nobody foresaw keeps its name, so that a report says something. */
export function toCliError(error: unknown): CliError {
  if (error instanceof CliError) return error;
  if (!(error instanceof Error)) return failed('UNEXPECTED', String(error));
  const { code, address, failure } = error as CodedError;
  if (code === 'ADDRESS_IN_USE' || code === 'EADDRINUSE') {
    const where = typeof address === 'string' && address.includes(':') ? address : portOf(error);
    return failed('PORT_IN_USE', `${where} is in use by another process; give another address or stop it`, error);
  }
  if (failure?.code === 'GOSSIP_PORT_IN_USE') {
    return failed(
      'PORT_IN_USE',
      `${failure.address} (gossip, UDP) is in use by another process; give another address or stop it`,
      error,
    );
  }
  if (failure?.code === 'GOSSIP_ADDRESS_UNAVAILABLE') {
    return failed('ADDRESS_UNAVAILABLE', `${failure.address} (gossip, UDP) is no address of this machine`, error);
  }
  if (code === 'CONFIG_INVALID') return failed('CONFIG_INVALID', error.message, error);
  if (error.name === 'NodeStartError') return failed('NODE_START', oneLine(error.message), error);
  if (typeof code === 'string' && /^[A-Z][A-Z0-9_]+$/.test(code)) return failed(code, oneLine(error.message), error);
  return failed('UNEXPECTED', `${error.name}: ${oneLine(error.message)}`, error);
}

function portOf(error: Error): string {
  const { address, port } = error as { address?: string; port?: number };
  return port === undefined ? oneLine(error.message) : `${address ?? '*'}:${port}`;
}

function oneLine(text: string): string {
  return text.replace(/\s*\n\s*/g, '; ').trim();
}
