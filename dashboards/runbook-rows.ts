import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** One section of docs/runbook.md: an alert, what it means and what to do, in Markdown. */
export interface RunbookRow {
  /** The alert's name. */
  title: string;
  text: string;
}

const page = readFileSync(join(import.meta.dirname, '../docs/runbook.md'), 'utf8');

/** In the order of the page. */
export const runbookRows: readonly RunbookRow[] = page
  .split(/^### /m)
  .slice(1)
  .map((section) => {
    const [title = '', ...lines] = section.split(/^## /m)[0]?.split('\n') ?? [];
    return { title: title.trim(), text: lines.join('\n').trim() };
  });

/** Number of the row's panel in the dashboard; throws for an alert without a row. */
export function panelOfRow(title: string): number {
  const index = runbookRows.findIndex((row) => row.title === title);
  if (index < 0) throw new Error(`docs/runbook.md has no section "### ${title}"; a panel links to it`);
  return index + 1;
}
