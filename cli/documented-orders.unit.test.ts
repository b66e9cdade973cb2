import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { expect, it } from 'vitest';
import { ordersCommand } from './orders.ts';

const documents = ['README.md', 'docs/orders.md', 'docs/runbook.md', 'docs/refunds.md'];

/** `npm run -s ops -- orders …` wherever it stands, continued lines joined. */
const commands = documents.flatMap((name) => {
  const text = readFileSync(new URL(`../${name}`, import.meta.url), 'utf8').replaceAll(/\\\n\s*/g, ' ');
  return [...text.matchAll(/npm run -s ops -- orders ([a-z][^`\n)]*)/g)].map(
    ([, rest = '']) => [name, rest] as const,
  );
});

/** Words as a shell reads them; comments dropped, placeholders taken as they are. */
const words = (line: string): string[] =>
  [...line.replace(/\s#.*$/, '').matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(
    ([, single, double, bare]) => single ?? double ?? bare ?? '',
  );

function strict(command: Command): Command {
  for (const one of [command, ...command.commands])
    one.exitOverride().configureOutput({ writeErr: () => {} });
  return command;
}

it('there are commands in the documents', () => {
  expect(commands.length).toBeGreaterThan(15);
});

it.each(commands)('%s: orders %s', async (_, line) => {
  const reached = new Error('reached the API');
  const command = ordersCommand({
    client: () => {
      throw reached;
    },
    print: () => {},
    say: () => {},
    confirm: async () => false,
    atTerminal: false,
  });
  await expect(strict(command).parseAsync(words(line), { from: 'user' })).rejects.toBe(reached);
});
