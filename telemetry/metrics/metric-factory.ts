import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** The product's processes that serve `/metrics`. */
export type ProcessName = 'api' | 'worker' | 'relay';

/** A metric as the documentation and the tests of the labels know it. */
export interface MetricSpec {
  name: string;
  type: 'counter' | 'gauge' | 'histogram';
  help: string;
  /** Processes whose `/metrics` shows it. */
  shownBy: readonly ProcessName[];
  /** Every value a label takes, or in words what bounds them. Never an id. */
  labels: Readonly<Record<string, readonly string[] | string>>;
  buckets?: readonly number[];
}

interface Definition<Label extends string> {
  name: string;
  /** One sentence with the unit. */
  help: string;
  shownBy: readonly ProcessName[];
  labels?: Readonly<Record<Label, readonly string[] | string>>;
}

export interface MetricFactory {
  counter<Label extends string = never>(definition: Definition<Label>): Counter<Label>;
  gauge<Label extends string = never>(definition: Definition<Label>): Gauge<Label>;
  /** `buckets`: upper bounds in the metric's unit; one of them is its goal, where it has one. */
  histogram<Label extends string = never>(
    definition: Definition<Label> & { buckets: readonly number[] },
  ): Histogram<Label>;
  /** What was defined, in that order. */
  specs: readonly MetricSpec[];
}

/**
 * Makes metrics for one process: those of other processes work and are shown nowhere, so that no process shows a zero
 * that only says that it does not know. Without `process` all are shown. Counters and histograms whose labels have
 * listed values begin at 0 for each of them: a rate over the first occurrence is right, and a panel is not empty.
 */
export function createMetricFactory(input: { registry: Registry; process?: ProcessName }): MetricFactory {
  const specs: MetricSpec[] = [];
  const optionsOf = <Label extends string>(
    type: MetricSpec['type'],
    { name, help, shownBy, labels }: Definition<Label>,
    buckets?: readonly number[],
  ) => {
    const values = (labels ?? {}) as MetricSpec['labels'];
    specs.push({ name, type, help, shownBy, labels: values, ...(buckets && { buckets }) });
    const shown = input.process === undefined || shownBy.includes(input.process);
    return {
      name,
      help,
      labelNames: Object.keys(values) as Label[],
      registers: shown ? [input.registry] : [],
    };
  };
  return {
    specs,
    counter<Label extends string>(definition: Definition<Label>) {
      const counter = new Counter<Label>(optionsOf('counter', definition));
      for (const labels of combinations(definition.labels)) counter.inc(labels, 0);
      return counter;
    },
    gauge: <Label extends string>(definition: Definition<Label>) =>
      new Gauge<Label>(optionsOf('gauge', definition)),
    histogram<Label extends string>(definition: Definition<Label> & { buckets: readonly number[] }) {
      const { buckets } = definition;
      const histogram = new Histogram<Label>({
        ...optionsOf('histogram', definition, buckets),
        buckets: [...buckets],
      });
      for (const labels of combinations(definition.labels)) histogram.zero(labels);
      return histogram;
    },
  };
}

/** Every combination of listed values; none where a label's values are not listed, or where there is no label. */
function combinations<Label extends string>(
  labels: Readonly<Record<Label, readonly string[] | string>> | undefined,
): Record<Label, string>[] {
  const entries = Object.entries(labels ?? {}) as [Label, readonly string[] | string][];
  if (entries.length === 0 || entries.some(([, values]) => typeof values === 'string')) return [];
  return entries.reduce<Record<Label, string>[]>(
    (found, [label, values]) =>
      found.flatMap((one) => (values as readonly string[]).map((value) => ({ ...one, [label]: value }))),
    [{} as Record<Label, string>],
  );
}
