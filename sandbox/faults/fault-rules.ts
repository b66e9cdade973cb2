import { z } from 'zod';

/** Every operation a fault can be put on, by provider. */
export const OPERATIONS = {
  stripe: [
    'payment_intents.create',
    'payment_intents.retrieve',
    'payment_intents.list',
    'payment_intents.search',
    'payment_intents.confirm',
    'payment_intents.cancel',
    'payment_intents.capture',
    'refunds.create',
    'refunds.retrieve',
    'refunds.list',
    'charges.retrieve',
    'charges.list',
    'disputes.list',
    'disputes.retrieve',
    'balance.retrieve',
  ],
  easypost: [
    'addresses.create',
    'addresses.verify',
    'addresses.retrieve',
    'shipments.create',
    'shipments.retrieve',
    'shipments.list',
    'shipments.rerate',
    'shipments.buy',
    'shipments.refund',
  ],
  smtp: ['connect', 'deliver'],
  partner: ['deliver'],
} as const;

export type Provider = keyof typeof OPERATIONS;

export const PROVIDERS = Object.keys(OPERATIONS) as [Provider, ...Provider[]];

const text = z.union([z.string(), z.number()]).transform(String);

/** All that is given must fit the call. `orderId` is read from metadata or from the shipment's reference. */
const matchSchema = z.strictObject({
  orderId: text.optional(),
  id: text.optional(),
  reference: text.optional(),
  amount: text.optional(),
  currency: text.optional(),
  paymentMethod: text.optional(),
  /** An address a mail goes to, or a partner's name. */
  recipient: text.optional(),
  metadata: z.record(z.string(), text).optional(),
});

export type FaultMatch = z.infer<typeof matchSchema>;

const common = {
  /** Names the rule for `DELETE /sandbox/faults/{id}`; made up when left out. */
  id: z.string().min(1).max(64).optional(),
  provider: z.enum(PROVIDERS),
  operation: z.string().default('*'),
  /** Applies to so many calls, then no more. */
  times: z.int().min(1).optional(),
  /** Applies for so long. */
  forMs: z.int().min(1).optional(),
  match: matchSchema.optional(),
};

const milliseconds = z.int().min(0).max(600_000);

const ruleSchema = z
  .discriminatedUnion('kind', [
    z.strictObject({
      ...common,
      kind: z.literal('latency'),
      ms: milliseconds,
      /** Up to so much more, at random. */
      jitterMs: milliseconds.default(0),
      /** Before the effect (which then still lands when the caller has gone away), or between effect and reply. */
      when: z.enum(['before', 'after']).default('before'),
    }),
    z.strictObject({
      ...common,
      kind: z.literal('error'),
      /** HTTP status, or the SMTP reply code for `smtp`. */
      status: z.int().min(400).max(599),
      /** The share of calls that fail. */
      rate: z.number().min(0).max(1).default(1),
      code: z.string().optional(),
      message: z.string().optional(),
      /** Whether it happens all the same. */
      effect: z.boolean().default(false),
      retryAfterSeconds: z.int().min(0).optional(),
    }),
    z.strictObject({
      ...common,
      kind: z.literal('outage'),
      mode: z.enum(['refuse', 'hang', '503']).default('503'),
    }),
    z.strictObject({ ...common, kind: z.literal('reply-lost') }),
    z.strictObject({ ...common, kind: z.literal('hang-after') }),
    z.strictObject({
      ...common,
      kind: z.literal('rate-limit'),
      retryAfterSeconds: z.int().min(0).optional(),
    }),
  ])
  .superRefine((rule, context) => {
    const allowed: readonly string[] = OPERATIONS[rule.provider];
    if (rule.operation === '*' || allowed.includes(rule.operation)) return;
    const message = `Unknown operation '${rule.operation}' of ${rule.provider}: expected '*' or one of ${allowed.join(', ')}`;
    context.addIssue({ code: 'custom', path: ['operation'], message });
  });

/** A rule as a person writes it. */
export type FaultRuleInput = z.input<typeof ruleSchema>;

/** A rule at work, with what is left of it. */
export type FaultRule = z.output<typeof ruleSchema> & {
  id: string;
  remaining: number | null;
  untilMs: number | null;
};

export type FaultOf<K extends FaultRule['kind']> = Extract<FaultRule, { kind: K }>;

const rulesSchema = z.array(ruleSchema).max(100);

/** The body of `PUT /sandbox/faults`: a list of rules, bare or under `rules`. */
export const faultsBodySchema = z.union([
  rulesSchema,
  z.strictObject({ rules: rulesSchema }).transform(({ rules }) => rules),
]);

export const faultRuleSchema = ruleSchema;

export type ParsedRule = z.output<typeof ruleSchema>;
