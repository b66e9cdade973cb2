/** What the driver returns, as the port has it: BIGINT comes as text, DATETIME2 as Date. */

export function numberOf(value: unknown): number {
  const number = Number(value);
  if (value === null || value === undefined || !Number.isSafeInteger(number)) {
    throw new Error(`SQL Server returned ${String(value)} where a safe integer was expected`);
  }
  return number;
}

export function isoOf(value: unknown): string {
  if (value instanceof Date) return value.toISOString();
  throw new Error(`SQL Server returned ${String(value)} where a time was expected`);
}

export const isoOrAbsent = (value: unknown): string | undefined =>
  value === null ? undefined : isoOf(value);

/** `{ [name]: value }`, or nothing where the column is NULL. */
export const present = <Name extends string, Value>(
  name: Name,
  value: Value | null,
): { [Key in Name]?: Value } => (value === null ? {} : ({ [name]: value } as { [Key in Name]?: Value }));
