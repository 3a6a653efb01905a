import { parseAddress } from '@holdfast/membership';
import { z } from 'zod';
import { hostPortExpected, parseHostPort } from './host-port.ts';
import { durationExpected, durationPattern, sizeExpected, sizePattern } from './units.ts';

/** The types that settings have, each with one sentence for what doesn't fit. */
export const nodeNameExpected = 'letters, digits, . _ - (at most 63, first a letter or digit)';
export const nodeName = z
  .string({ error: nodeNameExpected })
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, { error: nodeNameExpected });
export const hostPort = z.string({ error: hostPortExpected }).refine((text) => parseHostPort(text) !== null, {
  error: hostPortExpected,
});
/** Port 0 takes a free one where a node listens; nobody can be called there. */
const calledHostPort = hostPort.refine((text) => parseHostPort(text)?.port !== 0, { error: 'a port above 0' });
const peerAddressExpected = 'a host name or IP address, and a port above 0, as the others reach it';
export const peerAddress = hostPort.refine((text) => parseHostPort(text) === null || parseAddress(text) !== null, {
  error: peerAddressExpected,
});
export const hostPorts = z
  .array(calledHostPort, { error: `a list of ${hostPortExpected}` })
  .min(1, { error: `a list of ${hostPortExpected}` });
export const text = z.string({ error: 'a text' }).min(1, { error: 'a text' });
export const flag = z.boolean({ error: 'true or false' });
export const duration = z.string({ error: durationExpected }).regex(durationPattern, { error: durationExpected });
export const size = z.string({ error: sizeExpected }).regex(sizePattern, { error: sizeExpected });
export const count = (min: number, max: number) => {
  const error = `a whole number from ${min} to ${max}`;
  return z.int({ error }).min(min, { error }).max(max, { error });
};
export const oneOf = <const T extends readonly [string, ...string[]]>(values: T) =>
  z.enum(values, { error: `one of ${values.join(', ')}` });

/**
 * TLS of a service's client: on or off, and files.
 * @param group of the settings
 * @param others who is spoken to: `brokers`
 */
export const tlsSettings = (group: string, service: string, others: string) => ({
  tls: flag.default(false).meta({ description: `speak TLS with the ${others}`, reason: `as ${service} itself begins` }),
  tlsCa: text.optional().meta({
    description: `file of who signed the ${others}' certificates (PEM)`,
    reason: "none: the system's authorities",
  }),
  tlsCert: text.optional().meta({
    description: `file of this client's certificate (PEM), with ${group}.tlsKey`,
    reason: `none: needed where the ${others} ask for one`,
  }),
  tlsKey: text.optional().meta({ description: 'file of its key (PEM)', reason: `as ${group}.tlsCert` }),
  tlsServerName: text.optional().meta({
    description: 'name that the certificates have to show',
    reason: 'none: the host that is spoken to',
  }),
});
