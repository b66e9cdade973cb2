/**
 * PromQL that several panels write alike. Windows are Grafana's `$__rate_interval`, which fits the scrape interval and the
 * time range that is looked at.
 */
const selector = (labels: string): string => (labels === '' ? '' : `{${labels}}`);

/** Events a second, by `by` (comma-separated labels; empty for one line). */
export const perSecond = (counter: string, by = '', labels = ''): string =>
  `${sumBy(by)} (rate(${counter}${selector(labels)}[$__rate_interval]))`;

/** Events within the time range that is looked at. */
export const inRange = (counter: string, by = '', labels = ''): string =>
  `${sumBy(by)} (increase(${counter}${selector(labels)}[$__range]))`;

/** A histogram's quantile, `q` from 0 to 1. `histogram` without `_bucket`. */
export const quantile = (q: number, histogram: string, by = '', labels = ''): string =>
  `histogram_quantile(${q}, ${sumBy(by === '' ? 'le' : `le, ${by}`)} (rate(${histogram}_bucket${selector(labels)}[$__rate_interval])))`;

/** A gauge that every replica says alike: of the whole installation, so never their sum. */
export const ofAll = (gauge: string, by = '', labels = ''): string =>
  `max${by === '' ? '' : ` by (${by})`} (${gauge}${selector(labels)})`;

/** 0 where there is no such series yet, so that "none" can be told from "not known". */
export const orZero = (query: string): string => `${query} or vector(0)`;

const sumBy = (by: string): string => (by === '' ? 'sum' : `sum by (${by})`);
