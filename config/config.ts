import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { addressProblems, phoneWanted, pickAddress } from '../domain/address.ts';
import { currencyExponents, isCurrency, parseAmount, type Currency } from '../domain/money.ts';
import type { Address } from '../domain/order.ts';
import { reservedActors } from '../domain/outside-words.ts';
import type { ServiceLimit } from '../domain/parcel.ts';
import { defaultPolicy, withPolicy, type PolicyChanges, type SagaPolicy } from '../domain/policy.ts';
import { defaultProviderPolicy, type ProviderPolicy } from '../domain/providers.ts';
import type { ShippingFees } from '../domain/shipping-fee.ts';

const durationMs = z.number().int().positive();
const stepChanges = z
  .strictObject({
    attemptTimeoutMs: durationMs,
    budgetMs: durationMs,
    initialIntervalMs: durationMs,
    backoffCoefficient: z.number().min(1).max(10),
    maximumIntervalMs: durationMs,
  })
  .partial();

const policySchema = z
  .strictObject({
    name: z.string().min(1).max(64),
    allSteps: stepChanges,
    steps: z.partialRecord(
      z.enum(Object.keys(defaultPolicy.steps) as [keyof SagaPolicy['steps']]),
      stepChanges,
    ),
    compensation: stepChanges,
    localActivityMs: durationMs.max(2_000),
    holdPaymentMs: durationMs,
    holdAddressMs: durationMs,
    holdApprovalMs: durationMs,
    holdDisputeMs: durationMs,
    remindAt: z.number().gt(0).lt(1),
    maximumHoldMs: durationMs,
    addressVerification: z.enum(['best-effort', 'required']),
    checkReferenceMs: durationMs,
    approval: z
      .strictObject({
        aboveMinor: z.partialRecord(
          z.enum(Object.keys(currencyExponents) as [Currency]),
          z.number().int().min(0),
        ),
        riskMarked: z.boolean(),
      })
      .partial(),
    actionPollMs: durationMs,
    waitForStore: z.boolean(),
    longWaits: z.strictObject({ share: z.number().gt(0).max(1), maximumMs: durationMs }),
    maximumPaymentUpdates: z.number().int().min(1).max(100),
  })
  .partial();

const providerPolicySchema = z
  .strictObject({
    maximumPerSecond: z.number().positive(),
    slowStartPerSecond: z.number().positive(),
    slowStartMs: z.number().int().min(0),
    pollMs: durationMs.max(60_000),
    circuit: z
      .strictObject({
        minimumCalls: z.number().int().min(1),
        failureShare: z.number().min(0).lt(1),
        windowMs: durationMs,
        probeAfterMs: durationMs,
      })
      .partial(),
  })
  .partial();

const json = <T extends z.ZodType>(schema: T) =>
  z
    .string()
    .transform((text, context) => {
      try {
        return JSON.parse(text) as unknown;
      } catch {
        context.addIssue({ code: 'custom', message: 'expected JSON' });
        return z.NEVER;
      }
    })
    .pipe(schema);

/** `INR=500000.00,USD=5000.00` -> minor units by currency. */
const amountsByCurrency = z.string().transform((text, context) => {
  const refuse = (entry: string, why: string) =>
    context.addIssue({
      code: 'custom',
      message: `expected for example INR=500000.00,USD=5000.00; "${entry}": ${why}`,
    });
  const amounts: Partial<Record<Currency, number>> = {};
  for (const entry of text.split(',')) {
    const [currency = '', decimal = ''] = entry.split('=').map((part) => part.trim());
    const amount = isCurrency(currency) ? parseAmount(decimal, currency) : undefined;
    if (!amount?.ok) refuse(entry, amount ? amount.reason : 'no supported currency');
    else if (amount.money.currency in amounts) refuse(entry, 'given more than once');
    else amounts[amount.money.currency] = amount.money.amountMinor;
  }
  return amounts;
});

const port = z.coerce.number().int().min(0).max(65_535);

/** Who may call the API: `{"key":"…","callerId":"shop-a","role":"shop"}`. */
const callerSchema = z.strictObject({
  key: z.string().min(16),
  callerId: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,64}$/)
    .refine((id) => !reservedActors.has(id), {
      error: ({ input }) =>
        `"${String(input)}" names a part of the system in audit trails and events; take another`,
    }),
  role: z.enum(['shop', 'operator']),
});

const part = z.unknown().optional();
/** The sender: an address by its country's rules, as customers give theirs, and always with a phone number. */
const senderSchema = z
  .strictObject({
    name: part,
    street1: part,
    street2: part,
    city: part,
    state: part,
    postalCode: part,
    country: part,
    phone: part,
  })
  .transform((given, context): Address => {
    const sender = pickAddress(given);
    const refuse = (field: string, message: string) =>
      context.addIssue({ code: 'custom', message, path: [field] });
    for (const { field, reason } of addressProblems(sender)) refuse(field, reason);
    if (sender.phone === undefined) refuse('phone', `required, ${phoneWanted}`);
    return sender;
  });

const line = z.string().min(1).max(200);
const limitsSchema = z.array(
  z.strictObject({
    carrier: line,
    service: line,
    maxWeightGrams: z.number().positive(),
    maxLengthMm: z.number().positive().optional(),
    maxLengthPlusGirthMm: z.number().positive().optional(),
    /** Where the carrier says so. */
    source: z.string().min(1),
  }),
);

/** Reads the largest parcels that the carriers' services take. Throws for a file that is missing or another one. */
export function readCarrierLimits(path = join(import.meta.dirname, 'carrier-limits.json')): ServiceLimit[] {
  const file = json(limitsSchema).safeParse(readText(path));
  if (file.success) return file.data;
  const lines = file.error.issues.map(({ path: at, message }) => `  ${at.join('.') || 'file'}: ${message}`);
  throw new Error(`CARRIER_LIMITS_FILE ${path} does not fit:\n${lines.join('\n')}`);
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new Error(
      `CARRIER_LIMITS_FILE ${path} cannot be read: name a file that is there, or leave it out`,
      {
        cause,
      },
    );
  }
}

/** Every setting, its environment variable and its default. Times in milliseconds unless the name says otherwise. */
export const environment = z.object({
  /** Prefix of task queues; separates installations on one Temporal namespace. */
  TASK_QUEUE_PREFIX: z.string().min(1).default('order-saga'),
  /** Redis, for locks and as a doorbell; the product runs without it as well, more slowly. */
  REDIS_URL: z.string().default('redis://127.0.0.1:6379'),
  /** RabbitMQ; messages wait in SQL while it is away. */
  AMQP_URL: z.string().default('amqp://127.0.0.1:5672'),
  /**
   * `sqlite:<path>`, or SQL Server: `mssql://user:password@host:port/database?options` or an ADO-style connection string
   * (docs/sql-server.md).
   */
  SQL_URL: z
    .string()
    .regex(
      /^(sqlite:.+|(mssql|sqlserver):\/\/.+|\s*[a-z][a-z ]*=.+)$/i,
      'expected sqlite:<path>, mssql://user:password@host:port/database or Server=…;Database=…;User Id=…;Password=…',
    )
    .default('sqlite:.runtime/data/order-saga.sqlite'),
  /** Address on which the API listens; other than loopback only with API_CALLERS. */
  API_HOST: z.string().default('127.0.0.1'),
  /** Port of the API. `npm start` takes 3000, or the next that is free. */
  API_PORT: port.default(3000),
  /** Address on which worker and relay serve /healthz, /readyz and /metrics; `0.0.0.0` for probes and scrapes from elsewhere. */
  HEALTH_HOST: z.string().default('127.0.0.1'),
  /** Port of the worker's health and metrics; 0: any that is free. */
  WORKER_PORT: port.default(0),
  /** Port of the relay's health and metrics; 0: any that is free. */
  RELAY_PORT: port.default(0),
  /** JSON array of callers; without it the API takes everybody as the operator `local` and binds to loopback only. */
  API_CALLERS: json(z.array(callerSchema).min(1)).optional(),
  /** Server-sent event streams open at the same time; more are answered with 503. */
  API_MAX_EVENT_STREAMS: z.coerce.number().int().min(1).default(200),
  /** Stripe's secret key, `sk_test_…` or `sk_live_…` (docs/real-keys.md). Set: `npm start` asks Stripe, not the sandbox. */
  STRIPE_SECRET_KEY: z.string().default('sk_test_sandbox'),
  /** Where Stripe's API is, if not at Stripe: the sandbox, a proxy. */
  STRIPE_API_BASE: z.url().optional(),
  /** Signing secret `whsec_…` of the webhook endpoint at Stripe that leads to `POST /webhooks/stripe`. */
  STRIPE_WEBHOOK_SECRET: z.string().default('whsec_sandbox'),
  /** EasyPost's key, `EZTK…` for tests or `EZAK…` (docs/real-keys.md). Set: `npm start` asks EasyPost, not the sandbox. */
  EASYPOST_API_KEY: z.string().default('EZTK_sandbox'),
  /** Where EasyPost's API is, if not at EasyPost. */
  EASYPOST_API_BASE: z.url().optional(),
  /**
   * Where parcels leave from and labels come back to, as JSON. Which of `city`, `state` and `postalCode` it needs, its
   * country's rules say; `phone` always, since carriers want the sender's at customs.
   */
  SHIP_FROM: json(senderSchema).default({
    name: 'Order Saga Warehouse',
    street1: '8 Residency Road',
    city: 'Bengaluru',
    state: 'KA',
    postalCode: '560025',
    country: 'IN',
    phone: '+918000000000',
  }),
  /** JSON file with the largest parcels that the carriers' services take, instead of `config/carrier-limits.json`. */
  CARRIER_LIMITS_FILE: z.string().min(1).optional(),
  /** Mail server: `smtp://user:password@host:port`, or `smtps://…`. */
  SMTP_URL: z.string().default('smtp://127.0.0.1:2525'),
  /** Sender of the mails to customers. */
  MAIL_FROM: z.string().default('Order Saga <orders@order-saga.example>'),
  /** Where orders that wait for a person are told of. */
  HELP_DESK_EMAIL: z.email().default('help-desk@order-saga.example'),
  /** Slack-compatible incoming webhook for the same; a secret. None: mail alone. */
  HELP_DESK_CHAT_URL: z.url({ protocol: /^https?$/ }).optional(),
  /** How people reach the API; commands and links in messages to the help desk begin with it. */
  PUBLIC_API_URL: z.url({ protocol: /^https?$/ }).default('http://127.0.0.1:3000'),
  /** Where analytics goes: `ndjson:<folder>`, or the address of a Segment-compatible HTTP API. */
  ANALYTICS_SINK: z
    .string()
    .regex(/^(ndjson:.+|https?:\/\/.+)$/, 'expected ndjson:<folder> or an http(s) address')
    .default('ndjson:.runtime/data/analytics'),
  /** Write key of the HTTP sink. */
  ANALYTICS_WRITE_KEY: z.string().default(''),
  /** Key of the HMAC that turns customer ids into the search attribute CustomerHash; at least 16 characters. */
  CUSTOMER_HASH_KEY: z.string().min(16).default('local-development-only'),
  /** Keys that CUSTOMER_HASH_KEY has replaced, separated by commas: orders of their time are found by their customer as well. */
  CUSTOMER_HASH_FORMER_KEYS: z
    .string()
    .default('')
    .transform((text) =>
      text
        .split(',')
        .map((part) => part.trim())
        .filter((part) => part !== ''),
    )
    .pipe(z.array(z.string().min(16)).max(10)),
  /** Encrypts the webhook secrets at rest; at least 32 characters. Another key makes stored secrets unreadable. */
  WEBHOOK_SECRET_KEY: z.string().min(32).default('local-development-only-not-secret'),
  /**
   * Networks that webhooks may reach though they are not public, as a list of CIDR blocks (`127.0.0.1/32,10.1.0.0/16`);
   * plain http is spoken to these alone. Default none.
   */
  WEBHOOK_ALLOW_PRIVATE: z
    .string()
    .default('')
    .transform((text) =>
      text
        .split(',')
        .map((part) => part.trim())
        .filter((part) => part !== ''),
    )
    .pipe(z.array(z.union([z.cidrv4(), z.cidrv6()], 'expected CIDR blocks, for example 127.0.0.1/32'))),
  /** Further pauses after 5 s, 25 s and 125 s, in seconds, each longer than the one before: `3600,21600`. Default none. */
  WEBHOOK_SLOW_RETRIES_SECONDS: z
    .string()
    .default('')
    .transform((text) =>
      text
        .split(',')
        .filter((part) => part.trim() !== '')
        .map(Number),
    )
    .pipe(
      z
        .array(z.number().int().min(126).max(86_400))
        .max(10)
        .refine(
          (list) => list.every((value, index) => index === 0 || value > (list[index - 1] ?? 0)),
          'expected seconds in ascending order',
        ),
    ),
  /** Currency of a checkout that names none; ISO 4217. */
  DEFAULT_CURRENCY: z.enum(Object.keys(currencyExponents) as [Currency]).default('INR'),
  /**
   * What shipping adds to an order, by its currency: `INR=50.00,USD=5.00,JPY=700`. Free in a currency that is not named.
   * Orders that are priced keep theirs. The same for API and worker. Default none.
   */
  SHIPPING_FEES: amountsByCurrency.optional(),
  /** Before SHIPPING_FEES: one number of minor units for every currency. Refused beside it. Default none. */
  SHIPPING_FEE_MINOR: z.coerce.number().int().min(0).max(100_000_000).optional(),
  /** JSON of changes to the default saga policy, for example `{"holdPaymentMs":60000}`. */
  SAGA_POLICY: json(policySchema).optional(),
  /**
   * JSON of changes to how fast providers are asked and when their circuits open, for example
   * `{"maximumPerSecond":20,"circuit":{"probeAfterMs":30000}}`; defaults and meaning: domain/providers.ts.
   */
  PROVIDER_POLICY: json(providerPolicySchema).optional(),
  /**
   * Orders of more than so much wait for an operator's approval before anything is charged: `INR=500000.00,USD=5000.00`.
   * A currency that is not named has no limit. Default none.
   */
  APPROVAL_ABOVE: amountsByCurrency.optional(),
  /** Orders whose checkout carries a `riskMark` wait for approval as well. Default false. */
  APPROVAL_RISK_MARKED: z
    .enum(['true', 'false'])
    .default('false')
    .transform((text) => text === 'true'),
  /** Base address of an OpenTelemetry collector that takes OTLP over HTTP, `http://127.0.0.1:4318`. None: no traces. */
  OTEL_EXPORTER_OTLP_ENDPOINT: z.url({ protocol: /^https?$/ }).optional(),
  /** Share of orders whose traces are recorded, 0 to 1; a caller's own `traceparent` decides for its order. */
  OTEL_TRACES_SAMPLER_ARG: z.coerce.number().min(0).max(1).default(1),
  /** What is logged at least: trace, debug, info, warn, error or silent. */
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info'),
  /** How often the workers look for orders that have lost their run. */
  CASE_SWEEP_SECONDS: z.coerce.number().min(0.1).max(3_600).default(60),
  /** Workflows kept in the worker's memory; about 264 KiB each. */
  MAX_CACHED_WORKFLOWS: z.coerce.number().int().min(1).default(2_000),
  /** Web address of RabbitMQ's management API with user and password; it names the dead-letter queues of other services. */
  RABBITMQ_MANAGEMENT_URL: z.string().optional(),
});

/** Settings of all processes, validated once at start and frozen. */
export type Config = Readonly<
  z.infer<typeof environment> & {
    policy: SagaPolicy;
    providerPolicy: ProviderPolicy;
    shippingFees: ShippingFees;
  }
>;

/**
 * Reads the environment. Throws one Error that lists every setting that does not fit, what came and what was expected.
 * Temporal's own settings (TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TLS …) are read by @temporalio/envconfig.
 */
export function loadConfig(env: Record<string, string | undefined> = process.env): Config {
  const present = Object.fromEntries(
    Object.entries(env).filter(([, value]) => value !== undefined && value !== ''),
  );
  const parsed = environment.safeParse(present);
  if (!parsed.success) {
    const lines = parsed.error.issues.map((issue) => `  ${issue.path.join('.')}: ${issue.message}`);
    throw new Error(`These settings do not fit:\n${lines.join('\n')}`);
  }
  const policy = policyOf(parsed.data);
  const shippingFees = shippingFeesOf(parsed.data);
  const { circuit, ...rates } = parsed.data.PROVIDER_POLICY ?? {};
  const providerPolicy = {
    ...defaultProviderPolicy,
    ...rates,
    circuit: { ...defaultProviderPolicy.circuit, ...circuit },
  } as ProviderPolicy;
  return Object.freeze({ ...parsed.data, policy, providerPolicy, shippingFees });
}

/** The same for a process: what does not fit is said in words, without a stack, and ends it with code 1. */
export function loadConfigOrExit(env: Record<string, string | undefined> = process.env): Config {
  try {
    return loadConfig(env);
  } catch (error) {
    console.error(
      `${error instanceof Error ? error.message : String(error)}\nAll settings: docs/configuration.md.`,
    );
    return process.exit(1);
  }
}

function shippingFeesOf({
  SHIPPING_FEES: fees,
  SHIPPING_FEE_MINOR: everywhere,
}: z.infer<typeof environment>): ShippingFees {
  if (fees && everywhere !== undefined) {
    throw new Error(
      'These settings do not fit:\n  SHIPPING_FEE_MINOR: expected none beside SHIPPING_FEES, which says it by currency',
    );
  }
  if (everywhere === undefined) return fees ?? {};
  return Object.fromEntries(Object.keys(currencyExponents).map((currency) => [currency, everywhere]));
}

/** The single settings of approval go over those inside SAGA_POLICY. */
function policyOf(settings: z.infer<typeof environment>): SagaPolicy {
  const policy = withPolicy(defaultPolicy, (settings.SAGA_POLICY ?? {}) as PolicyChanges);
  const { APPROVAL_ABOVE: aboveMinor, APPROVAL_RISK_MARKED: riskMarked } = settings;
  const approval = {
    ...policy.approval,
    ...(aboveMinor ? { aboveMinor } : {}),
    ...(riskMarked ? { riskMarked } : {}),
  };
  return Object.keys(approval).length > 0 ? { ...policy, approval } : policy;
}
