import type { Config } from '../config/config.ts';
import type { Logger } from '../telemetry/logger.ts';

type Keys = Pick<
  Config,
  'STRIPE_SECRET_KEY' | 'STRIPE_API_BASE' | 'STRIPE_WEBHOOK_SECRET' | 'EASYPOST_API_KEY' | 'EASYPOST_API_BASE'
>;

const TIMEOUT_MS = 5_000;
const sandbox = { stripe: 'sk_test_sandbox', webhook: 'whsec_sandbox', easypost: 'EZTK_sandbox' };

/** What the keys themselves show to be wrong, and what that means. No key is repeated. */
export function wrongKeys(keys: Keys): string[] {
  const { STRIPE_SECRET_KEY: stripe, STRIPE_WEBHOOK_SECRET: webhook, EASYPOST_API_KEY: easypost } = keys;
  const stripeIsReal = stripe !== sandbox.stripe;
  const easypostIsReal = easypost !== sandbox.easypost;
  const stripeLive = /^[rs]k_live_/.test(stripe);
  const easypostLive = easypost.startsWith('EZAK');
  const mixed = stripeIsReal && easypostIsReal && stripeLive !== easypostLive;
  return [
    ...(stripe.startsWith('pk_')
      ? [
          'STRIPE_SECRET_KEY is a publishable key (pk_…), which cannot charge: orders will wait at the payment. Expected sk_… or rk_….',
        ]
      : /^[rs]k_(test|live)_/.test(stripe)
        ? []
        : [
            'STRIPE_SECRET_KEY is no secret key of Stripe: orders will wait at the payment. Expected sk_… or rk_….',
          ]),
    ...(webhook.startsWith('whsec_')
      ? []
      : [
          "STRIPE_WEBHOOK_SECRET is no signing secret (whsec_…): Stripe's webhooks will be answered 400 and not heard.",
        ]),
    ...(stripeIsReal && webhook === sandbox.webhook
      ? [
          "STRIPE_WEBHOOK_SECRET is the sandbox's, while STRIPE_SECRET_KEY is not: Stripe's webhooks will be answered 400 and not heard.",
        ]
      : []),
    ...(mixed
      ? [
          `STRIPE_SECRET_KEY is a ${mode(stripeLive)} key and EASYPOST_API_KEY a ${mode(easypostLive)} key: ` +
            (stripeLive
              ? 'customers would pay for labels that do not ship.'
              : 'labels would cost money that nobody pays.'),
        ]
      : []),
  ];
}

const mode = (live: boolean): string => (live ? 'live' : 'test');

/**
 * Asks each provider that has a real key once whether it takes it; a provider that does not answer says nothing about
 * its key. Reads only.
 */
export async function refusedKeys(keys: Keys): Promise<string[]> {
  const { STRIPE_SECRET_KEY: stripe, EASYPOST_API_KEY: easypost } = keys;
  const [stripeTakes, easypostTakes] = await Promise.all([
    stripe === sandbox.stripe ||
      isTaken(new URL('/v1/balance', keys.STRIPE_API_BASE ?? 'https://api.stripe.com'), `Bearer ${stripe}`),
    easypost === sandbox.easypost ||
      isTaken(
        new URL('/v2/addresses?page_size=1', keys.EASYPOST_API_BASE ?? 'https://api.easypost.com'),
        `Basic ${Buffer.from(`${easypost}:`).toString('base64')}`,
      ),
  ]);
  return [
    ...(stripeTakes
      ? []
      : ['Stripe refuses STRIPE_SECRET_KEY (401): orders will wait at the payment until it is set right.']),
    ...(easypostTakes
      ? []
      : [
          'EasyPost refuses EASYPOST_API_KEY (401): orders will be charged and wait at the label until it is set right.',
        ]),
  ];
}

/** Only 401 is about the key: a restricted one may be refused this question, and do all it is needed for. */
async function isTaken(url: URL, authorization: string): Promise<boolean> {
  try {
    const response = await fetch(url, {
      headers: { authorization },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    await response.body?.cancel();
    return response.status !== 401;
  } catch {
    return true;
  }
}

/** Says at the start of a process what is wrong with the keys (docs/real-keys.md); it goes on all the same. */
export async function preflight(keys: Keys, logger: Pick<Logger, 'error'>): Promise<void> {
  for (const problem of [...wrongKeys(keys), ...(await refusedKeys(keys))]) {
    logger.error({ page: 'docs/real-keys.md' }, problem);
  }
}
