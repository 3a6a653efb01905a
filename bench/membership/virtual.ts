import { measureDetection, measureQuiet, percentile } from '@holdfast/testkit';

/** The core alone, in virtual time: false verdicts over virtual days, and times to detection over many kills. */
export function virtualFigures(hours: number, kills: number) {
  const virtualMs = hours * 3_600_000;
  const quiet = { seed: 1, nodes: 3, virtualMs };
  const detection = (options: { nodes: number; lossRatio?: number; evidenceMs?: number }) => {
    const run = measureDetection({ seed: 2, kills, ...options });
    return {
      kills: run.kills,
      firstP50Ms: percentile(run.firstMs, 0.5),
      firstP99Ms: percentile(run.firstMs, 0.99),
      allP50Ms: percentile(run.allMs, 0.5),
      allP99Ms: percentile(run.allMs, 0.99),
      allMaxMs: percentile(run.allMs, 1),
      falseDeaths: run.falseDeaths,
    };
  };
  return {
    quiet: {
      idle: measureQuiet(quiet),
      loss5: measureQuiet({ ...quiet, lossRatio: 0.05 }),
      loss20: measureQuiet({ ...quiet, lossRatio: 0.2 }),
      strobe: measureQuiet({ ...quiet, starvation: 'strobe' }),
      quota: measureQuiet({ ...quiet, starvation: 'quota' }),
      pauses: measureQuiet({ ...quiet, starvation: 'pauses' }),
      pausesLoss5: measureQuiet({ ...quiet, starvation: 'pauses', lossRatio: 0.05 }),
      idleOf10: measureQuiet({ ...quiet, nodes: 10, virtualMs: virtualMs / 4 }),
    },
    detection: {
      three: detection({ nodes: 3 }),
      threeLoss5: detection({ nodes: 3, lossRatio: 0.05 }),
      threeLoss20: detection({ nodes: 3, lossRatio: 0.2 }),
      threeEvidence: detection({ nodes: 3, evidenceMs: 20 }),
      two: detection({ nodes: 2 }),
      ten: detection({ nodes: 10 }),
    },
  };
}
