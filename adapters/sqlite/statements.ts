import type { StoreTransaction } from '../../ports/store.ts';

/** A family of the port's statements as SQLite runs them: synchronously. */
export type Synchronous<Family> = {
  [Name in keyof Family]: Family[Name] extends (...input: infer Input) => Promise<infer Result>
    ? (...input: Input) => Result
    : never;
};

export type Statements = { [Name in keyof StoreTransaction]: Synchronous<StoreTransaction[Name]> };
