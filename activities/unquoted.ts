import { TechnicalFailure } from '../domain/failures.ts';
import { withoutQuotes, type Quotable } from '../domain/quotes.ts';

/** Waits for what a provider says; a technical failure of it says nothing of the customer any more, its causes included. */
export async function unquoted<Answer>(person: Quotable, asked: Promise<Answer>): Promise<Answer> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof TechnicalFailure) quoteNobody(error, person);
    throw error;
  }
}

function quoteNobody(error: Error, person: Quotable): void {
  error.message = withoutQuotes(error.message, person);
  if (error.stack) error.stack = withoutQuotes(error.stack, person);
  if (error.cause instanceof Error) quoteNobody(error.cause, person);
}
