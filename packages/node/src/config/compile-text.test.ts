import assert from 'node:assert/strict';
import { compileConfig } from './compile-config.ts';
import { ConfigError, formatProblem } from './config-problem.ts';

/** What a node n1 has to say to this text in /etc/holdfast/c.yaml; it runs in /srv. */
export function compileText(text: string, env: Record<string, string> = {}) {
  return compileConfig({
    files: [{ path: '/etc/holdfast/c.yaml', text: `node: {id: n1}\n${text}` }],
    env,
    cwd: '/srv',
  });
}

export function problemsOf(text: string, env: Record<string, string> = {}): string[] {
  try {
    compileText(text, env);
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.problems.map(formatProblem);
  }
  return [];
}
