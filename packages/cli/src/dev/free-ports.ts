import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import { failed } from '../cli-error.ts';

/** Below the ranges that systems give to outgoing connections: a port stays free while its node restarts. */
const portMin = 20_000;
const portMax = 31_999;
const triesMax = 2_000;

/** Ports of the loopback interface that are free for TCP and UDP now. */
export async function freePorts(host: string, count: number): Promise<number[]> {
  const found: number[] = [];
  let at = portMin + Math.floor(Math.random() * (portMax - portMin));
  for (let tries = 0; found.length < count; tries++) {
    if (tries >= triesMax)
      throw failed('NO_FREE_PORT', `no ${count} free ports between ${portMin} and ${portMax} on ${host}`);
    at = at >= portMax ? portMin : at + 1;
    if ((await tcpIsFree(host, at)) && (await udpIsFree(host, at))) found.push(at);
  }
  return found;
}

function tcpIsFree(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

function udpIsFree(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4');
    socket.once('error', () => {
      socket.close();
      resolve(false);
    });
    socket.bind({ address: host, port, exclusive: true }, () => socket.close(() => resolve(true)));
  });
}
