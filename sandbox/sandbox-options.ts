import { z } from 'zod';

const list = (text: string): string[] =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean);

const settingsShape = {
  /** Where Stripe-like webhooks go; null sends none. */
  webhookTarget: z.url().nullable(),
  /** Event types the endpoint is subscribed to; `*` is every type the sandbox knows. */
  webhookEvents: z.array(z.string()),
  /** A webhook leaves this long after its cause, at random in between. */
  webhookMinDelayMs: z.int().min(0),
  webhookMaxDelayMs: z.int().min(0),
  /** One in so many events is delivered twice; 0 never. */
  webhookDuplicateEvery: z.int().min(0),
  /** One in so many events is held back, so that later ones overtake it; 0 never. */
  webhookHoldBackEvery: z.int().min(0),
  webhookHoldBackMs: z.int().min(0),
  /** Pauses between attempts while the endpoint does not answer 2xx; then the sandbox gives up. */
  webhookRetryMs: z.array(z.int().min(0)),
  /** A new payment intent is found by search only after this long. */
  searchDelayMs: z.int().min(0),
  /** How long an asynchronous payment stays in `processing`, and a pending refund pending. */
  processingMs: z.int().min(0),
  /** How long a label's refund stays `submitted`. */
  labelRefundMs: z.int().min(0),
};

const settingsSchema = z.strictObject(settingsShape);

/** Settings that can be changed while the sandbox runs; a restart brings back those it was started with. */
export type Settings = z.infer<typeof settingsSchema>;

export const settingsPatchSchema = settingsSchema.partial();

const DEFAULT_EVENTS = [
  'payment_intent.requires_action',
  'payment_intent.payment_failed',
  'payment_intent.canceled',
  'payment_intent.succeeded',
  'charge.dispute.created',
  'charge.dispute.updated',
  'charge.dispute.closed',
  'charge.refund.updated',
  'refund.created',
  'refund.updated',
  'refund.failed',
];

export const defaultSettings: Settings = {
  webhookTarget: null,
  webhookEvents: DEFAULT_EVENTS,
  webhookMinDelayMs: 50,
  webhookMaxDelayMs: 400,
  webhookDuplicateEvery: 10,
  webhookHoldBackEvery: 10,
  webhookHoldBackMs: 1_500,
  webhookRetryMs: [1_000, 5_000, 15_000, 60_000, 60_000, 300_000, 300_000, 300_000],
  searchDelayMs: 3_000,
  processingMs: 3_000,
  labelRefundMs: 5_000,
};

export interface SandboxOptions {
  /** HTTP port on 127.0.0.1; default a free one. */
  port?: number | undefined;
  /** SMTP port on 127.0.0.1; default a free one. */
  smtpPort?: number | undefined;
  /** Folder for the state; without it everything is gone when the sandbox ends. */
  dataDir?: string | undefined;
  /** The only secret key the Stripe part accepts. */
  stripeSecretKey?: string | undefined;
  /** Signs webhooks. */
  stripeWebhookSecret?: string | undefined;
  /** The only key the EasyPost part accepts. */
  easypostApiKey?: string | undefined;
  settings?: Partial<Settings> | undefined;
}

/** Keys that work when none are configured: the values the project's own default configuration uses. */
export const DEFAULT_KEYS = {
  stripeSecretKey: 'sk_test_sandbox',
  stripeWebhookSecret: 'whsec_sandbox',
  easypostApiKey: 'EZTK_sandbox',
} as const;

const text = z.string().min(1).optional();
const port = z.coerce.number().int().min(0).max(65_535).default(0);

const environmentSchema = z.object({
  SANDBOX_PORT: port,
  SANDBOX_SMTP_PORT: port,
  SANDBOX_DATA: text,
  SANDBOX_WEBHOOK_TARGET: z.url().optional(),
  SANDBOX_WEBHOOK_EVENTS: z.string().optional(),
  STRIPE_SECRET_KEY: text,
  STRIPE_WEBHOOK_SECRET: text,
  EASYPOST_API_KEY: text,
});

/**
 * Reads the sandbox's options from the environment. Empty variables count as not set.
 * Throws an error that names each variable that cannot be used and why.
 */
export const optionsFromEnvironment = (env: Record<string, string | undefined>): SandboxOptions => {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
  const parsed = environmentSchema.safeParse(given);
  if (!parsed.success) throw new Error(`Sandbox configuration: ${z.prettifyError(parsed.error)}`);
  const e = parsed.data;
  return {
    port: e.SANDBOX_PORT,
    smtpPort: e.SANDBOX_SMTP_PORT,
    dataDir: e.SANDBOX_DATA,
    stripeSecretKey: e.STRIPE_SECRET_KEY,
    stripeWebhookSecret: e.STRIPE_WEBHOOK_SECRET,
    easypostApiKey: e.EASYPOST_API_KEY,
    settings: {
      ...(e.SANDBOX_WEBHOOK_TARGET && { webhookTarget: e.SANDBOX_WEBHOOK_TARGET }),
      ...(e.SANDBOX_WEBHOOK_EVENTS && { webhookEvents: list(e.SANDBOX_WEBHOOK_EVENTS) }),
    },
  };
};
