export const controlPlaneErrorCodes = ['NODE_ID_TAKEN', 'SUPERSEDED', 'REMOVED', 'SHARD_FAILED'] as const;

/** Why a control plane ended its node; match on `code`. */
export class ControlPlaneError extends Error {
  override readonly name = 'ControlPlaneError';
  readonly code: (typeof controlPlaneErrorCodes)[number];
  constructor(code: (typeof controlPlaneErrorCodes)[number], text: string) {
    super(text);
    this.code = code;
  }
}
