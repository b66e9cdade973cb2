/** The declared types there are; a parameter has exactly the type of the column it is compared with or stored in. */
export type SqlType =
  | 'TINYINT'
  | 'INT'
  | 'BIGINT'
  | 'DATETIME2(3)'
  | 'NVARCHAR(MAX)'
  | 'VARBINARY(MAX)'
  | `CHAR(${number})`
  | `VARCHAR(${number})`
  | `NVARCHAR(${number})`;

/**
 * Every parameter of every statement, by name. Explicit types are what lets an index be used: an NVARCHAR parameter
 * against a VARCHAR column would convert the column, row by row. A test holds the table against the migrations.
 */
export const parameterTypes = {
  ActId: 'VARCHAR(255)',
  Activity: 'VARCHAR(64)',
  Actor: 'NVARCHAR(400)',
  AfterSequence: 'INT',
  AfterUtc: 'DATETIME2(3)',
  AmountMinor: 'BIGINT',
  Answer: 'NVARCHAR(2000)',
  AppliedAtUtc: 'DATETIME2(3)',
  Attempt: 'INT',
  AttemptedAtUtc: 'DATETIME2(3)',
  AttemptedBeforeUtc: 'DATETIME2(3)',
  Attempts: 'INT',
  CallerId: 'VARCHAR(64)',
  CancelKeyNumber: 'INT',
  CancelledAtUtc: 'DATETIME2(3)',
  Carrier: 'NVARCHAR(100)',
  CausingEventId: 'NVARCHAR(400)',
  ClosedAs: 'VARCHAR(32)',
  ClosedBeforeUtc: 'DATETIME2(3)',
  ConfirmKeyNumber: 'INT',
  Consumer: 'VARCHAR(100)',
  Content: 'VARBINARY(MAX)',
  CreateKeyNumber: 'INT',
  CreateRequestedAtUtc: 'DATETIME2(3)',
  CreatedAtUtc: 'DATETIME2(3)',
  Currency: 'CHAR(3)',
  CustomerEmail: 'NVARCHAR(320)',
  CustomerId: 'VARCHAR(64)',
  CustomsDescription: 'NVARCHAR(400)',
  DatabaseName: 'NVARCHAR(128)',
  DeadLetterId: 'VARCHAR(64)',
  DeadLetterIds: 'NVARCHAR(MAX)',
  Description: 'NVARCHAR(MAX)',
  Destination: 'VARCHAR(255)',
  Detail: 'NVARCHAR(MAX)',
  DisabledReason: 'NVARCHAR(MAX)',
  DisputeId: 'VARCHAR(255)',
  DueByUtc: 'DATETIME2(3)',
  DurationMs: 'INT',
  EndpointId: 'VARCHAR(64)',
  Envelope: 'NVARCHAR(MAX)',
  Error: 'NVARCHAR(MAX)',
  EventId: 'VARCHAR(100)',
  EventType: 'VARCHAR(100)',
  FailedAtUtc: 'DATETIME2(3)',
  FailedUntilUtc: 'DATETIME2(3)',
  Failure: 'NVARCHAR(MAX)',
  FailureType: 'VARCHAR(64)',
  Failures: 'INT',
  Fence: 'INT',
  Fingerprint: 'VARCHAR(64)',
  FirstFailedAtUtc: 'DATETIME2(3)',
  FoundAtUtc: 'DATETIME2(3)',
  FromState: 'NVARCHAR(MAX)',
  FulfillmentId: 'VARCHAR(64)',
  Hash: 'CHAR(64)',
  HeightMm: 'INT',
  HsCode: 'VARCHAR(12)',
  HttpStatus: 'INT',
  Id: 'VARCHAR(100)',
  IndexedAtUtc: 'DATETIME2(3)',
  IntentId: 'VARCHAR(255)',
  Items: 'NVARCHAR(MAX)',
  KeyNumber: 'INT',
  KeyRefused: 'INT',
  Kind: 'VARCHAR(16)',
  LabelCostAmount: 'VARCHAR(32)',
  LabelCostCurrency: 'CHAR(3)',
  LabelUrl: 'NVARCHAR(2048)',
  LastError: 'NVARCHAR(2000)',
  LastEventId: 'CHAR(36)',
  LastFailedAtUtc: 'DATETIME2(3)',
  LeaseUntilUtc: 'DATETIME2(3)',
  LeftAtUtc: 'DATETIME2(3)',
  LengthMm: 'INT',
  Limit: 'INT',
  LineNumber: 'INT',
  LockResource: 'NVARCHAR(255)',
  LockTimeoutMs: 'INT',
  MessageId: 'NVARCHAR(255)',
  MessageType: 'NVARCHAR(255)',
  N: 'INT',
  Name: 'NVARCHAR(400)',
  NextAttemptAtUtc: 'DATETIME2(3)',
  NowUtc: 'DATETIME2(3)',
  OccurredAtUtc: 'DATETIME2(3)',
  OnHand: 'INT',
  OpenedAtUtc: 'DATETIME2(3)',
  OperationKey: 'VARCHAR(255)',
  OrderId: 'CHAR(36)',
  OrderIds: 'NVARCHAR(MAX)',
  OrderReference: 'NVARCHAR(255)',
  OriginCountry: 'CHAR(2)',
  Outcome: 'NVARCHAR(MAX)',
  Owner: 'VARCHAR(200)',
  Parcel: 'NVARCHAR(MAX)',
  PartitionNumber: 'TINYINT',
  Patch: 'NVARCHAR(MAX)',
  Payload: 'NVARCHAR(MAX)',
  PaymentMethodId: 'VARCHAR(255)',
  Position: 'BIGINT',
  PrevHash: 'CHAR(64)',
  PriceMinor: 'BIGINT',
  Priority: 'TINYINT',
  Process: 'NVARCHAR(255)',
  ProcessedAtUtc: 'DATETIME2(3)',
  ProcessedBeforeUtc: 'DATETIME2(3)',
  ProductId: 'VARCHAR(64)',
  Provider: 'VARCHAR(32)',
  ProviderRefundId: 'VARCHAR(255)',
  ProviderShipmentId: 'VARCHAR(255)',
  PublishedAtUtc: 'DATETIME2(3)',
  PublishedBeforeUtc: 'DATETIME2(3)',
  Quantity: 'INT',
  Queue: 'NVARCHAR(255)',
  RateId: 'VARCHAR(255)',
  Reason: 'NVARCHAR(MAX)',
  RecordedAtUtc: 'DATETIME2(3)',
  RefundId: 'VARCHAR(255)',
  RefundKeyNumber: 'INT',
  ReplayError: 'NVARCHAR(MAX)',
  ReplayId: 'NVARCHAR(255)',
  ReportedAtUtc: 'DATETIME2(3)',
  ReportedBeforeUtc: 'DATETIME2(3)',
  RequestedAtUtc: 'DATETIME2(3)',
  RequestedBeforeUtc: 'DATETIME2(3)',
  Result: 'VARCHAR(16)',
  RunId: 'VARCHAR(64)',
  SagaState: 'VARCHAR(16)',
  Secrets: 'NVARCHAR(MAX)',
  Seq: 'INT',
  Sequence: 'INT',
  Service: 'NVARCHAR(100)',
  SetAsideAfter: 'INT',
  SettledAtUtc: 'DATETIME2(3)',
  SettledBeforeUtc: 'DATETIME2(3)',
  ShippingAddress: 'NVARCHAR(MAX)',
  SinceUtc: 'DATETIME2(3)',
  StaleAfterUtc: 'DATETIME2(3)',
  StaleBeforeUtc: 'DATETIME2(3)',
  StartedAtUtc: 'DATETIME2(3)',
  State: 'VARCHAR(32)',
  Status: 'VARCHAR(32)',
  Step: 'VARCHAR(64)',
  Subject: 'VARCHAR(200)',
  ToState: 'NVARCHAR(MAX)',
  TotalMinor: 'BIGINT',
  TraceId: 'VARCHAR(64)',
  Traceparent: 'VARCHAR(255)',
  TrackingCode: 'NVARCHAR(100)',
  Type: 'VARCHAR(100)',
  UpdatedAtUtc: 'DATETIME2(3)',
  Url: 'NVARCHAR(MAX)',
  Version: 'INT',
  Wanted: 'INT',
  WebhookId: 'VARCHAR(255)',
  WeightGrams: 'INT',
  WidthMm: 'INT',
  WithdrawnAtUtc: 'DATETIME2(3)',
  WorkflowId: 'VARCHAR(255)',
} as const satisfies Record<string, SqlType>;

export type ParameterName = keyof typeof parameterTypes;

/** A parameter's value before it is checked; times are ISO 8601 strings. */
export type ParameterValue = string | number | Uint8Array | null;

/** Values by name; in a statement over several rows the names carry a number: `ProductId_1`, `ProductId_2`. */
export type StatementValues = Partial<Record<ParameterName | `${ParameterName}_${number}`, ParameterValue>>;

/** A value that has exactly its parameter's type. */
export interface TypedParameter {
  name: string;
  type: SqlType;
  value: string | number | Date | Buffer | null;
}

/** `ProductId_2` has the type of `ProductId`. Throws for a name that is not in the table. */
export function typeOf(name: string): SqlType {
  const type = (parameterTypes as Record<string, SqlType>)[name.replace(/_\d+$/, '')];
  if (!type) throw new Error(`Parameter @${name} has no type: add it to parameterTypes`);
  return type;
}

/** The names of a text's parameters, each once; variables it declares itself are none. Text literals hold no `@`. */
export function parameterNames(sql: string): string[] {
  const named = (pattern: RegExp) => [...sql.matchAll(pattern)].map(([, name]) => name as string);
  const declared = new Set(named(/\bDECLARE @(\w+)/g));
  return [...new Set(named(/(?<![@\w])@(\w+)/g))].filter((name) => !declared.has(name));
}

/**
 * The typed values of a statement's parameters. Throws where a value is missing or does not fit its type: SQL Server
 * itself would cut a long text off or replace a letter without a word.
 */
export function typedParameters(sql: string, values: StatementValues): TypedParameter[] {
  return parameterNames(sql).map((name) => {
    const type = typeOf(name);
    const value = (values as Record<string, ParameterValue | undefined>)[name];
    if (value === undefined) throw new Error(`Parameter @${name} (${type}) got no value`);
    return { name, type, value: value === null ? null : checkedValue(name, type, value) };
  });
}

function checkedValue(
  name: string,
  type: SqlType,
  value: string | number | Uint8Array,
): string | number | Date | Buffer {
  const refuse = (expected: string): never => {
    throw new Error(`Parameter @${name} (${type}): expected ${expected}, came ${described(value)}`);
  };
  switch (type) {
    case 'TINYINT':
    case 'INT':
    case 'BIGINT':
      return wholeNumber(value, largest[type], refuse);
    case 'DATETIME2(3)':
      return instant(value, refuse);
    case 'VARBINARY(MAX)':
      return value instanceof Uint8Array ? Buffer.from(value) : refuse('bytes');
    case 'NVARCHAR(MAX)':
    default:
      return text(type, value, refuse);
  }
}

type Refuse = (expected: string) => never;
type Value = string | number | Uint8Array;

const largest = { TINYINT: 255, INT: 2_147_483_647, BIGINT: Number.MAX_SAFE_INTEGER };

function wholeNumber(value: Value, maximum: number, refuse: Refuse): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && Math.abs(value) <= maximum
    ? value
    : refuse(`a whole number up to ${maximum}`);
}

/** Only what comes back as it went in: another spelling of the same time would break the audit trail's hashes. */
function instant(value: Value, refuse: Refuse): Date {
  const time = typeof value === 'string' ? new Date(value) : undefined;
  return time && !Number.isNaN(time.getTime()) && time.toISOString() === value
    ? time
    : refuse('an ISO 8601 UTC time with milliseconds, such as 2026-01-02T03:04:05.678Z');
}

function text(type: SqlType, value: Value, refuse: Refuse): string {
  if (typeof value !== 'string') return refuse('a text');
  const length = /\((\d+)\)/.exec(type)?.[1];
  if (length !== undefined && value.length > Number(length)) return refuse(`at most ${length} characters`);
  // eslint-disable-next-line no-control-regex -- ASCII as a whole is meant, control characters included
  if (!type.startsWith('N') && !/^[\x00-\x7F]*$/.test(value)) return refuse('ASCII only');
  return value;
}

function described(value: Value): string {
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  return typeof value === 'string' && value.length > 40
    ? `"${value.slice(0, 40)}…" (${value.length})`
    : JSON.stringify(value);
}
