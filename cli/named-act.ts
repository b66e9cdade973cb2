import type { CliDeps } from './deps.ts';

/**
 * The Idempotency-Key of an act: a given one, else one that is made and said before anything is sent. Whoever stops
 * the command, or loses its connection, has it to ask again with.
 */
export function namedAct({ say }: Pick<CliDeps, 'say'>, key: string | undefined): Record<string, string> {
  const name = key ?? crypto.randomUUID();
  if (key === undefined) say(`Key of this act: ${name}. Repeated with --key ${name} it is the same act.`);
  return { 'idempotency-key': name };
}
