import { InvalidArgumentError } from 'commander';
import { cleanLine, refuseLine } from '../../domain/text.ts';

/** A text of a command line that ends up in the audit trail, read as HTTP reads it. */
export const lineOption =
  (maximum: number) =>
  (text: string): string => {
    const line = cleanLine(text);
    const refusal = refuseLine(line, maximum);
    if (refusal) throw new InvalidArgumentError(`${refusal}.`);
    return line;
  };
