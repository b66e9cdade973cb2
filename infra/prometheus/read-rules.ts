import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

export interface Rule {
  expr: string;
  /** Of an alert. */
  alert?: string;
  /** Of a recorded number. */
  record?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
}

interface RuleTest {
  name: string;
  alert_rule_test: { alertname: string; exp_alerts?: unknown[] }[];
}

const read = (file: string): unknown => parse(readFileSync(new URL(file, import.meta.url), 'utf8'));

/** Every rule of rules.yml, in its order. */
export const rules = (): Rule[] =>
  (read('rules.yml') as { groups: { rules: Rule[] }[] }).groups.flatMap((group) => group.rules);

export const ruleTestFiles = ['rules.test.yml', 'rules-of-days.test.yml'] as const;

export const ruleTests = (): RuleTest[] =>
  ruleTestFiles.flatMap((file) => (read(file) as { tests: RuleTest[] }).tests);

const functions =
  /^(sum|min|max|avg|count|rate|increase|time|vector|by|on|ignoring|unless|and|or|without|offset|bool|label_replace|histogram_quantile|max_over_time|min_over_time|clamp_min|clamp_max|absent|topk|group_left|group_right|le|irate|delta|quantile|scalar|round|floor|ceil|abs|sort_desc|sort|label_join|changes|last_over_time|avg_over_time|sum_over_time|count_over_time|deriv|predict_linear|inf|nan)$/i;

/** Names of the series that a PromQL expression reads; `_bucket`, `_sum` and `_count` are left out of histograms'. */
export function metricNames(expression: string): string[] {
  const bare = expression
    .replace(/"(?:[^"\\]|\\.)*"/g, '""')
    .replace(/\{[^}]*\}/g, '')
    .replace(/\[[^\]]*\]/g, '')
    .replace(/\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)/g, '');
  const words = bare.match(/(?<![\w$.])[a-zA-Z_:][\w:]*/g) ?? [];
  const names = words.filter((word) => !functions.test(word) && /[_:]|^up$/.test(word));
  return [...new Set(names.map((name) => name.replace(/_(bucket|sum|count)$/, '')))];
}
