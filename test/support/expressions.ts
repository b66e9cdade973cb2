import { readdirSync, readFileSync } from 'node:fs';
import { rules } from '../../infra/prometheus/read-rules.ts';

/** An expression of a rule or a panel and where it stands. */
export interface Expression {
  where: string;
  expr: string;
}

const dashboards = new URL('../../dashboards/', import.meta.url);

interface PanelJson {
  title?: string;
  targets?: { expr?: string }[];
}

/** Every rule; alerts in a form that answers while they are silent as well. */
export const ruleExpressions = (): Expression[] =>
  rules().map(({ alert, record, labels, expr }) =>
    alert === undefined
      ? { where: `${record} ${labels?.['slo'] ?? ''}`.trim(), expr }
      : { where: `alert ${alert}`, expr: answering(expr) },
  );

/** Every query of every panel, with Grafana's variables filled in: all values, and windows of a quarter of an hour. */
export const panelExpressions = (): Expression[] =>
  readdirSync(dashboards)
    .filter((file) => file.endsWith('.json'))
    .flatMap((file) => {
      const { panels } = JSON.parse(readFileSync(new URL(file, dashboards), 'utf8')) as {
        panels: PanelJson[];
      };
      return panels.flatMap(({ title, targets = [] }) =>
        targets.flatMap(({ expr }) =>
          expr ? [{ where: `${file.replace('.json', '')}: ${title}`, expr: filledIn(expr) }] : [],
        ),
      );
    });

const filledIn = (expression: string): string =>
  expression
    .replaceAll('$__rate_interval', '15m')
    .replaceAll('$__range', '15m')
    .replace(/\$\{?\w+(:\w+)?\}?/g, '.*');

/** Comparisons that answer 0 or 1 instead of leaving out what does not hold; labels' matchers and texts stay. */
const answering = (expression: string): string =>
  expression.replace(/\{[^}]*\}|"[^"]*"|(>=|<=|==|!=|>|<)/g, (found, comparison?: string) =>
    comparison === undefined ? found : `${comparison} bool`,
  );
