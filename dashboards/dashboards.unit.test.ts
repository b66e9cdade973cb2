import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { dashboards } from './index.ts';

interface PanelJson {
  id: number;
  title: string;
  description?: string;
  links?: { url?: string; title?: string }[];
  gridPos: { x: number; y: number; w: number; h: number };
  fieldConfig: { defaults: { unit?: string } };
  targets: { expr: string; refId: string; legendFormat: string }[];
}

const variablesOf = (dashboard: unknown): string[] =>
  (dashboard as { templating: { list: { name: string }[] } }).templating.list.map(({ name }) => name);
const panelsOf = (dashboard: unknown): PanelJson[] => (dashboard as { panels: PanelJson[] }).panels;

const rules = parse(readFileSync(join(import.meta.dirname, '../infra/prometheus/rules.yml'), 'utf8')) as {
  groups: { rules: { alert?: string }[] }[];
};
const alerts = rules.groups.flatMap((group) => group.rules.flatMap(({ alert }) => alert ?? []));

const { runbook, ...measuring } = dashboards;

describe.each(Object.entries(measuring))('the dashboard %s', (_name, dashboard) => {
  const panels = panelsOf(JSON.parse(JSON.stringify(dashboard)));

  it.each(panels.map((panel) => [panel.title, panel] as const))(
    'says in "%s" which question it answers, in which unit, and where to go on',
    (_title, panel) => {
      expect(panel.description).toMatch(/\?/);
      expect(panel.fieldConfig.defaults.unit).toBeTruthy();
      expect(panel.links?.map(({ url }) => url)).toEqual([
        expect.stringMatching(
          /^(\/d\/order-saga-runbook|\$\{temporal_ui\}\/namespaces\/.*query=.+|\$\{traces_ui\}\/)/,
        ),
      ]);
      expect(panel.targets.length).toBeGreaterThan(0);
    },
  );

  it('names rows of the runbook that are alerts', () => {
    const rows = panels.flatMap(({ links }) =>
      links?.map(({ title }) => title?.match(/^Runbook: (.*)/)?.[1]),
    );
    expect(rows.filter((row) => row && !alerts.includes(row))).toEqual([]);
  });

  it('uses only variables that it has', () => {
    const known = [...variablesOf(dashboard), '__rate_interval', '__range'];
    const text = JSON.stringify(dashboard);
    const used = [...text.matchAll(/\$\{?(\w+)\}?/g)]
      .map(([, name]) => name)
      .filter((name) => name !== '__all');
    expect(used.filter((name) => !known.includes(String(name)))).toEqual([]);
    expect(known.filter((name) => !name.startsWith('__') && !used.includes(name))).toEqual([]);
  });

  it('lays its panels out without overlap', () => {
    const taken = new Set<string>();
    for (const { gridPos, title } of panels) {
      expect(gridPos.x + gridPos.w, title).toBeLessThanOrEqual(24);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x += 1) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y += 1) {
          expect(taken.has(`${x}/${y}`), title).toBe(false);
          taken.add(`${x}/${y}`);
        }
      }
    }
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  });
});

it('gives every dashboard an address of its own', () => {
  const addresses = Object.values(dashboards).map(({ uid }) => uid);
  expect(new Set(addresses).size).toBe(addresses.length);
});

it('shows the runbook with a panel for every alert', () => {
  expect(
    panelsOf(runbook)
      .map(({ title }) => title)
      .toSorted(),
  ).toEqual(alerts.toSorted());
});
