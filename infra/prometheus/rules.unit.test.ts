import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { foreignMetrics } from '../../telemetry/metrics/foreign-metrics.ts';
import { createMetrics } from '../../telemetry/metrics.ts';
import type { Addresses } from '../addresses.ts';
import { prometheusConfig } from '../prometheus-config.ts';
import { metricNames, rules, ruleTestFiles, ruleTests } from './read-rules.ts';

const alerts = rules().filter((rule) => rule.alert !== undefined);
const runbook = readFileSync(new URL('../../docs/runbook.md', import.meta.url), 'utf8');
const sections = [...runbook.matchAll(/^### (\w+)\n([^#]*)/gm)].map(([, name, text]) => ({ name, text }));
const known = new Set([
  ...createMetrics().specs.map(({ name }) => name),
  ...Object.values(foreignMetrics).flatMap(({ metrics }) => Object.keys(metrics)),
  ...rules().flatMap(({ record }) => record ?? []),
]);

const promtool = (...args: string[]) =>
  spawnSync('promtool', args, { encoding: 'utf8', cwd: import.meta.dirname });
const amtool = (...args: string[]) =>
  spawnSync('amtool', args, { encoding: 'utf8', cwd: import.meta.dirname });
const hasAmtool = amtool('--version').status === 0;
const hasPromtool = promtool('--version').status === 0;

describe('with promtool (skipped where it is not installed: it comes with Prometheus)', () => {
  it.runIf(hasPromtool)('the rules are valid', () => {
    const { status, stdout, stderr } = promtool('check', 'rules', 'rules.yml');
    expect([status, stderr, stdout.includes('SUCCESS')]).toEqual([0, '', true]);
  });

  it.runIf(hasPromtool)('the configurations of the compose file and of a start are valid', () => {
    const folder = mkdtempSync(join(tmpdir(), 'order-saga-prometheus-'));
    const metrics = { api: 'http://127.0.0.1:3000/metrics', temporal: '' } as Addresses['metrics'];
    const ofStart = join(folder, 'prometheus.json');
    writeFileSync(ofStart, prometheusConfig({ metrics, alertmanagerUrl: 'http://127.0.0.1:9093' }));
    for (const file of ['prometheus.yml', ofStart]) {
      const { status, stdout } = promtool('check', 'config', file);
      expect([status, stdout]).toEqual([0, expect.stringContaining('rules found')]);
    }
    expect(readFileSync(ofStart, 'utf8')).toContain('127.0.0.1:9093');
    rmSync(folder, { recursive: true });
  });

  it.runIf(hasAmtool)('the routes of Alertmanager are valid (skipped without its amtool)', () => {
    const { status, stderr } = amtool('check-config', '../alertmanager/alertmanager.yml');
    expect([status, stderr]).toEqual([0, '']);
  });

  it.runIf(hasPromtool)(
    'every alert fires and stays silent as their tests say',
    () => {
      const { status, stdout } = promtool('test', 'rules', ...ruleTestFiles);
      expect([status, stdout]).toEqual([0, expect.stringContaining('SUCCESS')]);
    },
    120_000,
  );
});

describe('each alert', () => {
  it.each(alerts)('$alert is tested to fire and to stay silent', ({ alert }) => {
    const tests = ruleTests().flatMap(({ alert_rule_test }) =>
      alert_rule_test.filter(({ alertname }) => alertname === alert),
    );
    expect(tests.filter(({ exp_alerts = [] }) => exp_alerts.length > 0)).not.toEqual([]);
    expect(tests.filter(({ exp_alerts = [] }) => exp_alerts.length === 0)).not.toEqual([]);
  });

  it.each(alerts)(
    '$alert has a severity, a summary with what was seen, and its section of the runbook',
    (rule) => {
      expect(['page', 'ticket']).toContain(rule.labels?.['severity']);
      expect(rule.annotations?.['summary']).toMatch(/\{\{ \$(value|labels)/);
      expect(rule.annotations?.['runbook_url']).toBe(`docs/runbook.md#${rule.alert?.toLowerCase()}`);
      const text = sections.find(({ name }) => name === rule.alert)?.text ?? '';
      expect(text).toContain(`**Severity**: ${rule.labels?.['severity']}`);
      for (const part of ['Means', 'Query', 'Act'])
        expect(text).toMatch(new RegExp(`\\*\\*${part}\\*\\*: .{2,}`));
    },
  );

  it('is in the runbook, and the runbook has no other', () => {
    expect(new Set(sections.map(({ name }) => name))).toEqual(new Set(alerts.map(({ alert }) => alert)));
    expect(sections).toHaveLength(alerts.length);
  });
});

it('knows every metric that rules and runbook read', () => {
  const queries = sections.flatMap(({ text }) =>
    [...(text ?? '').matchAll(/\*\*Query\*\*: `(.+)`$/gm)].map((m) => m[1] ?? ''),
  );
  expect(queries).toHaveLength(sections.length);
  const read = [...rules().map(({ expr }) => expr), ...queries].flatMap(metricNames);
  expect([...new Set(read)].filter((name) => !known.has(name))).toEqual([]);
  expect(
    metricNames('sum by (le) (rate(no_such_seconds_bucket{a="b_c"}[5m])) > on (x_y) other_total'),
  ).toEqual(['no_such_seconds', 'other_total']);
});

it('reads no business failure where it pages', () => {
  const business = [
    'payments_failed_total',
    'orders_held',
    'orders_held_total',
    'orders_ended_total',
    'dead_letter_queue_messages',
  ];
  const paging = alerts.filter(({ labels }) => labels?.['severity'] === 'page');
  const read = paging.flatMap(({ expr }) => metricNames(expr));
  expect(read.filter((name) => business.includes(name))).toEqual([]);
  expect(read.length).toBeGreaterThan(20);
});
