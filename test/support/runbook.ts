import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectFolder } from '../../infra/runtime-folder.ts';

export const runbookPage = readFileSync(join(projectFolder, 'docs/runbook.md'), 'utf8');

/** What docs/runbook.md says under an alert, on one line: a test that proves a sentence of it looks for it here. */
export const runbookOf = (alert: string): string =>
  (new RegExp(`^### ${alert}\\n([^#]*)`, 'm').exec(runbookPage)?.[1] ?? '').replaceAll(/\s+/g, ' ');
