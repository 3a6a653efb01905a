import { defineProcessor, z } from '@holdfast/sdk';
import { initialUserState } from './aggregate/user-state.ts';
import type { AnomalyEvent } from './decide/anomaly-event.ts';
import { GateScorer } from './decide/gate-scorer.ts';
import { handleLogin } from './decide/handle-login.ts';
import { LoginReader } from './login-reader.ts';
import { builtInMappings } from './mapping/built-in.ts';
import type { Mapping } from './mapping/mapping.ts';
import { viewUser } from './view.ts';

export const inputTopic = 'access-log';
export const anomaliesTopic = 'anomalies';

export interface AccessAnomalyOptions {
  /** The format of the log; default the project's own. */
  readonly mapping?: Mapping;
}

/**
 * The job: aggregates and anomaly decisions per user. The key is the user as bytes.
 * Where a deployment reads or writes other topics, `compileProcessor` puts them in place of these.
 */
export function accessAnomaly(options: AccessAnomalyOptions = {}) {
  const scorer = new GateScorer();
  return defineProcessor({
    name: 'access-anomaly',
    version: '1',
    input: {
      logs: {
        topic: inputTopic,
        read: new LoginReader(options.mapping ?? builtInMappings.get('holdfast')!),
        time: (login) => login.timeUnixMs,
      },
    },
    output: { anomalies: { topic: anomaliesTopic, key: (event: AnomalyEvent) => event.user } },
    state: {
      version: 1,
      initial: initialUserState,
      idle: '7d',
      // Nothing in the handler throws after the first change: scoring comes first and changes nothing.
      undo: 'none',
    },
    params: z.object({ emit: z.enum(['anomalies', 'all']).default('anomalies') }),
    onEvent: {
      logs(login, ctx) {
        // The key is exact where a number in the record has lost digits.
        login.user = ctx.key;
        const event = handleLogin(ctx.state, login, ctx, ctx.id(), scorer, ctx.params.emit);
        if (event !== null) ctx.emit.anomalies(event);
      },
    },
    query: { aggregates: (ctx) => viewUser(ctx.state, ctx.key) },
    view: viewUser,
  });
}

export default accessAnomaly();
