import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';

export interface MetricSample {
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

/**
 * One metric, read when it is asked for. Base units (seconds, bytes) and `_total` for what only rises; labels are few
 * and bounded: never a key, nor anything else that comes with the input.
 */
export interface MetricSpec {
  /** Without the prefix `holdfast_`. */
  readonly name: string;
  readonly help: string;
  readonly kind: 'gauge' | 'counter';
  readonly labels?: readonly string[];
  /** None: not known now. */
  read(): readonly MetricSample[];
}

/** The metrics of one process in Prometheus' text format, with those of Node and the process beside ours. */
export class Metrics {
  readonly #registry = new Registry();
  static readonly contentType = Registry.PROMETHEUS_CONTENT_TYPE;

  constructor(specs: readonly MetricSpec[]) {
    collectDefaultMetrics({ register: this.#registry });
    for (const spec of specs) this.#add(spec);
  }

  /** Nothing is counted between two calls: the values are where they are used, and looked at here. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  #add({ name, help, kind, labels = [], read }: MetricSpec): void {
    const options = { name: `holdfast_${name}`, help, labelNames: [...labels], registers: [this.#registry] };
    if (kind === 'gauge') {
      new Gauge({
        ...options,
        collect() {
          this.reset();
          const samples = read();
          // A metric without labels begins with a 0, which would pass for a figure.
          if (samples.length === 0) this.remove();
          for (const sample of samples) this.set(sample.labels ?? {}, sample.value);
        },
      });
      return;
    }
    new Counter({
      ...options,
      collect() {
        this.reset();
        const samples = read();
        if (samples.length === 0) this.remove();
        for (const sample of samples) this.inc(sample.labels ?? {}, sample.value);
      },
    });
  }
}
