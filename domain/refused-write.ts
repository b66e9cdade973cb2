/**
 * The store is there and refuses a statement: a constraint of its schema holds, or the statement or a value is wrong.
 * No outage: the same write is refused again.
 */
export class RefusedWrite extends Error {
  /** Name of the constraint, `CK_Products_NotOversold`; undefined where the store named none. */
  readonly constraint: string | undefined;
  constructor(message: string, options: { cause: unknown; constraint?: string | undefined }) {
    super(message, { cause: options.cause });
    this.name = 'RefusedWrite';
    this.constraint = options.constraint;
  }
}
