/* oxlint-disable typescript/no-deprecated -- the classic model is what Grafana 12 provisions from files */
import { DataqueryBuilder as Query } from '@grafana/grafana-foundation-sdk/prometheus';
import {
  DashboardBuilder,
  DashboardLinkBuilder,
  DashboardLinkType,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  TextBoxVariableBuilder,
  ThresholdsConfigBuilder,
  ThresholdsMode,
  VariableRefresh,
  type Dashboard,
  type Panel,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { panelOfRow } from './runbook-rows.ts';
import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import {
  BigValueGraphMode,
  LegendDisplayMode,
  LegendPlacement,
  ReduceDataOptionsBuilder,
  VizLegendOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as TimeSeriesBuilder } from '@grafana/grafana-foundation-sdk/timeseries';

/** Grafana's names of units. */
type Unit = 's' | 'short' | 'ops' | 'percentunit' | 'bytes';

export interface PanelSpec {
  title: string;
  /** The question that it answers, for somebody who was just woken. */
  question: string;
  unit: Unit;
  queries: readonly { expr: string; legend: string }[];
  /** `number` shows the last value large; default a line for each series. */
  shape?: 'lines' | 'number';
  /** From this value on it is red: a goal that is missed, a count that must be 0. */
  redFrom?: number;
  /** Below this value it is red. */
  redBelow?: number;
  /** Where to go from here. */
  link: PanelLink;
}

interface PanelLink {
  title: string;
  url: string;
}

export interface DashboardSpec {
  /** Last part of its address and the name of its file. */
  name: string;
  title: string;
  /** Who opens it, and why. */
  description: string;
  panels: readonly PanelSpec[];
  /** Variables besides the data source and the addresses: the values of a label. */
  variables?: readonly { name: string; label: string; metric: string; of: string }[];
}

/** What to do: the row of docs/runbook.md, shown by the dashboard of that name. */
export const runbook = (row: string): PanelLink => ({
  title: `Runbook: ${row}`,
  url: `/d/${idOf('runbook')}?viewPanel=${panelOfRow(row)}`,
});

/** The orders behind a number, in Temporal's Web UI. `query` is a list filter over search attributes. */
export const temporalOrders = (title: string, query: string): PanelLink => ({
  title: `Temporal: ${title}`,
  url: `\${temporal_ui}/namespaces/\${namespace}/workflows?query=${encodeURIComponent(query)}`,
});

/** Traces of one process, newest first. */
export const traces = (service: string): PanelLink => ({
  title: `Traces of ${service}`,
  url: `\${traces_ui}/search?service=${service}`,
});

const source = { type: 'prometheus', uid: '${datasource}' };
const WIDTH = { lines: 12, number: 6 } as const;
const HEIGHT = { lines: 8, number: 5 } as const;

/** The dashboard as Grafana stores it. Variables choose the data source and where Web UI and traces are. */
export function dashboardOf(spec: DashboardSpec): Dashboard {
  const builder = emptyDashboard(spec);
  builder.withVariable(new DatasourceVariableBuilder('datasource').label('Prometheus').type('prometheus'));
  for (const variable of addressVariables(spec)) builder.withVariable(variable);
  for (const { name, label, metric, of } of spec.variables ?? []) {
    builder.withVariable(
      new QueryVariableBuilder(name)
        .label(label)
        .datasource(source)
        .query({ query: `label_values(${metric}, ${of})`, refId: name })
        .refresh(VariableRefresh.OnTimeRangeChanged)
        .multi(true)
        .includeAll(true)
        .current({ text: 'All', value: '$__all' }),
    );
  }
  for (const [index, panel] of spec.panels.entries()) builder.withPanel(panelOf(panel, index + 1));
  return builder.build();
}

/** Title and links, without a panel. */
export const emptyDashboard = ({
  name,
  title,
  description,
}: Pick<DashboardSpec, 'name' | 'title' | 'description'>): DashboardBuilder =>
  new DashboardBuilder(`Order Saga: ${title}`)
    .uid(idOf(name))
    .description(description)
    .tags([TAG])
    .time({ from: 'now-1h', to: 'now' })
    .timezone('browser')
    .refresh('15s')
    .link(
      new DashboardLinkBuilder('Order Saga')
        .type(DashboardLinkType.Dashboards)
        .tags([TAG])
        .asDropdown(true)
        .keepTime(true)
        .includeVars(true),
    );

const TAG = 'order-saga';
const idOf = (name: string): string => `order-saga-${name}`;

/** Where links lead; the values of infra/temporal-compose.yml until somebody types others. */
const addresses = [
  { name: 'temporal_ui', label: 'Temporal Web UI', value: 'http://localhost:8080' },
  { name: 'namespace', label: 'Namespace', value: 'default' },
  { name: 'traces_ui', label: 'Traces', value: 'http://localhost:16686' },
];

const addressVariables = ({ panels }: DashboardSpec): TextBoxVariableBuilder[] =>
  addresses
    .filter(({ name }) => panels.some(({ link }) => link.url.includes(`\${${name}}`)))
    .map(({ name, label, value }) =>
      new TextBoxVariableBuilder(name).label(label).defaultValue(value).current({ text: value, value }),
    );

function panelOf(spec: PanelSpec, id: number): Builder<Panel> {
  const { shape = 'lines' } = spec;
  const panel = shape === 'number' ? numberPanel() : linesPanel();
  panel
    .id(id)
    .title(spec.title)
    .description(spec.question)
    .datasource(source)
    .unit(spec.unit)
    .min(0)
    .span(WIDTH[shape])
    .height(HEIGHT[shape])
    .links([new DashboardLinkBuilder(spec.link.title).url(spec.link.url).targetBlank(true)])
    .targets(
      spec.queries.map(({ expr, legend }, index) =>
        new Query()
          .datasource(source)
          .refId(String.fromCharCode('A'.charCodeAt(0) + index))
          .expr(expr)
          .legendFormat(legend),
      ),
    );
  if (spec.redFrom !== undefined || spec.redBelow !== undefined) panel.thresholds(thresholdsOf(spec));
  return panel;
}

const numberPanel = (): StatBuilder =>
  new StatBuilder()
    .graphMode(BigValueGraphMode.Area)
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']));

const linesPanel = (): TimeSeriesBuilder =>
  new TimeSeriesBuilder()
    .fillOpacity(8)
    .legend(
      new VizLegendOptionsBuilder()
        .displayMode(LegendDisplayMode.List)
        .placement(LegendPlacement.Bottom)
        .showLegend(true),
    );

const thresholdsOf = ({ redFrom, redBelow }: PanelSpec): ThresholdsConfigBuilder =>
  new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(
    redBelow === undefined
      ? [
          { value: null, color: 'green' },
          { value: redFrom ?? 0, color: 'red' },
        ]
      : [
          { value: null, color: 'red' },
          { value: redBelow, color: 'green' },
        ],
  );
