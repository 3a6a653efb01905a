#!/usr/bin/env node
// Starts the program with a Node that can run it. In the repository that is the TypeScript source (Node >= 22.18, else
// the Node that the repository pins); as an installed package the built form. Plain JavaScript for old Nodes.
import { spawn } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const bin = dirname(realpathSync(fileURLToPath(import.meta.url)));
const source = join(bin, '..', 'src', 'main.ts');
const pinned = join(
  bin,
  '..',
  '..',
  '..',
  'node_modules',
  'node',
  'bin',
  process.platform === 'win32' ? 'node.exe' : 'node',
);
const inRepository = existsSync(source) && !bin.includes(`${sep}node_modules${sep}`);

function atLeast(major, minor) {
  const [a, b] = process.versions.node.split('.').map(Number);
  return a > major || (a === major && b >= minor);
}

function refuse(needed, advice) {
  process.stderr.write(`holdfast: needs Node ${needed} or later, this is ${process.versions.node}${advice}\n`);
  process.exit(1);
}

/** Replaces this process where Node can (same pid, so signals need no help), else stands in for the child. */
function become(node, args) {
  if (typeof process.execve === 'function' && process.platform !== 'win32') {
    process.execve(node, [node, ...args], process.env);
  }
  const child = spawn(node, args, { stdio: 'inherit' });
  child.on('error', (error) => {
    process.stderr.write(`holdfast: can't start ${node}: ${error.message}\n`);
    process.exit(1);
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT']) {
    process.on(signal, () => {
      // From a terminal the child hears Ctrl-C itself; twice would mean "at once".
      if (signal === 'SIGINT' && process.stdin.isTTY) return;
      child.kill(signal);
    });
  }
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}

// Threads of libuv's pool, whose size is fixed once a process has used it: main.ts says what they are for.
const poolThreads = process.env.UV_THREADPOOL_SIZE ?? '64';

if (inRepository) {
  process.env.UV_THREADPOOL_SIZE = poolThreads;
  const args = ['--conditions=source', source, ...process.argv.slice(2)];
  if (atLeast(22, 18)) become(process.execPath, args);
  else if (existsSync(pinned)) become(pinned, args);
  else refuse('22.18', '; run npm ci in the repository for the one it pins');
} else {
  if (!atLeast(22, 12)) refuse('22.12', '');
  const main = join(bin, '..', 'dist', 'main.js');
  if (process.argv[2] === 'node' && process.env.UV_THREADPOOL_SIZE === undefined) {
    process.env.UV_THREADPOOL_SIZE = poolThreads;
    become(process.execPath, [...process.execArgv, main, ...process.argv.slice(2)]);
  } else await import(pathToFileURL(main).href);
}
