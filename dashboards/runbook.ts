import { PanelBuilder as TextBuilder, TextMode } from '@grafana/grafana-foundation-sdk/text';
import { emptyDashboard } from './panels.ts';
import { runbookRows } from './runbook-rows.ts';

/** docs/runbook.md inside Grafana, a panel for each alert, so that panels can link to what to do. */
const builder = emptyDashboard({
  name: 'runbook',
  title: 'Runbook',
  description: 'What each alert means and what to do. The same as docs/runbook.md.',
});
for (const [index, { title, text }] of runbookRows.entries()) {
  builder.withPanel(
    new TextBuilder()
      .id(index + 1)
      .title(title)
      .mode(TextMode.Markdown)
      .content(text)
      .span(12)
      .height(9),
  );
}

export const runbook = builder.build();
