/**
 * Time as an argument. `monotonicMs` never falls and has no meaning outside the process;
 * `wallUnixMs` may jump either way and decides nothing about safety. The two are never compared.
 */
export interface Clock {
  monotonicMs(): number;
  wallUnixMs(): number;
}
