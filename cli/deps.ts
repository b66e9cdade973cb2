import { createInterface } from 'node:readline/promises';
import type { ApiClient } from './api-client.ts';

/** What the commands stand on. */
export interface CliDeps {
  /** Made when a command runs: its address is an option. */
  client: () => ApiClient;
  /** The answer, to the standard output. */
  print: (text: string) => void;
  /** Beside the answer, to the standard error output: `--json` leaves pure JSON on the other one. */
  say: (text: string) => void;
  /** Asks a person; false where nobody can be asked. */
  confirm: (question: string) => Promise<boolean>;
  /** Whether somebody can be asked. */
  atTerminal: boolean;
}

export const isAtTerminal = (): boolean => Boolean(process.stdin.isTTY && process.stderr.isTTY);

/** Asks on the terminal; without one nobody can agree. */
export async function confirmOnTerminal(question: string): Promise<boolean> {
  if (!isAtTerminal()) return false;
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await terminal.question(`${question} [y/N] `)).trim());
  } finally {
    terminal.close();
  }
}
