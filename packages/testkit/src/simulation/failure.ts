/** What the simulation throws when a promise of the protocol was broken. Its text begins with that promise's name. */
export class SimulationFailure extends Error {
  override readonly name = 'SimulationFailure';
}

export function fail(text: string): never {
  throw new SimulationFailure(text);
}
