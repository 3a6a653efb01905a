import type { Scenario } from '../harness/scenario.ts';
import { killedHolder } from './f01-killed-holder.ts';
import { leaderDiesInAGrant } from './f02-leader-dies-in-a-grant.ts';
import { twoRestart } from './f03-two-restart.ts';
import { pausedHolder } from './f04-paused-holder.ts';
import { pausedLeader } from './f05-paused-leader.ts';
import { strobe } from './f06-strobe.ts';
import { starvedNode } from './f07-starved-node.ts';
import { blockedLoop } from './f08-blocked-loop.ts';
import { wallClock } from './f09-wall-clock.ts';
import { isolatedNodes } from './f11-isolated-nodes.ts';
import { oneWayCut } from './f12-one-way-cut.ts';
import { brokenTriangle } from './f13-broken-triangle.ts';
import { healOfTheDead } from './f15-heal-of-the-dead.ts';
import { loss } from './f16-loss.ts';
import { delay } from './f17-delay.ts';
import { gossipOutOfOrder } from './f18-gossip-out-of-order.ts';
import { narrowLink, smallPackets } from './f19-narrow-links.ts';
import { fullDisk } from './f21-full-disk.ts';
import { failingDisk, slowDisk } from './f22-failing-disk.ts';
import { bentLog, tornLog } from './f23-damaged-log.ts';
import { powerCuts } from './f25-power-cuts.ts';
import { poison } from './f38-poison.ts';
import { largeRecords } from './f39-large-records.ts';
import { hostileIds } from './f40-hostile-ids.ts';
import { collidingIds } from './f41-colliding-ids.ts';
import { hotUser } from './f42-hot-user.ts';
import { noAmplifier, spoofedGossip } from './f43-spoofed-gossip.ts';
import { halfOpen } from './f45-half-open.ts';
import { slowHolder } from './f46-slow-holder.ts';
import { resetStreams } from './f47-reset-streams.ts';
import { eachLeaderDies } from './f48-each-leader-dies.ts';
import { twoOfOneName, wipedFolder, wrongFolder } from './f49-wrong-folder.ts';
import { recordAtOldHolder } from './f53-moves-under-fire.ts';
import { newOvertakesOld } from './f54-overtaken-holder.ts';
import { leaderDiesBetween } from './f55-leader-dies-between.ts';
import { sigtermAtFullLoad } from './f57-sigterm-at-full-load.ts';
import { handover } from './handover.ts';
import { onServices } from './on-services.ts';

/** All of them, in the order of their faults' numbers. One more is a file, and a line here. */
export const scenarios: readonly Scenario[] = [
  killedHolder,
  leaderDiesInAGrant,
  twoRestart,
  pausedHolder,
  pausedLeader,
  strobe,
  starvedNode,
  blockedLoop,
  wallClock,
  isolatedNodes,
  oneWayCut,
  brokenTriangle,
  healOfTheDead,
  loss,
  delay,
  gossipOutOfOrder,
  narrowLink,
  smallPackets,
  fullDisk,
  failingDisk,
  tornLog,
  bentLog,
  powerCuts,
  slowDisk,
  poison,
  largeRecords,
  hostileIds,
  collidingIds,
  hotUser,
  spoofedGossip,
  noAmplifier,
  halfOpen,
  slowHolder,
  resetStreams,
  eachLeaderDies,
  wrongFolder,
  wipedFolder,
  twoOfOneName,
  recordAtOldHolder,
  newOvertakesOld,
  leaderDiesBetween,
  sigtermAtFullLoad,
  ...onServices,
  handover,
];

/** What CI runs. */
export const smoke: readonly string[] = ['F01', 'F04', 'F11', 'F12', 'F57'];

/** By any of its faults' numbers; null when there is none. */
export function scenarioOf(fault: string): Scenario | null {
  return scenarios.find(({ faults }) => faults.includes(fault)) ?? null;
}
