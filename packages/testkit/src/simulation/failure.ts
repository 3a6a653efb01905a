/** What the simulation throws when a promise of the protocol was broken. */
export class SimulationFailure extends Error {
  override readonly name = 'SimulationFailure';
}

export function fail(text: string): never {
  throw new SimulationFailure(text);
}
