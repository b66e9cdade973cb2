import { Hono, type Context } from 'hono';
import { html } from 'hono/html';
import { z } from 'zod';
import { invalid, jsonBody, problem } from '../problem.ts';
import type { IntentRecord } from '../records.ts';
import { replyOf } from '../refusal.ts';
import { authenticateIntent, confirmIntent } from '../stripe/confirm-intent.ts';
import { displayAmount } from '../stripe/currencies.ts';
import { intentById } from '../stripe/payment-intents.ts';
import { BY_ITSELF, type StripeDeps } from '../stripe/stripe-deps.ts';
import { page } from './layout.ts';

const CARDS = ['pm_card_visa', 'pm_card_chargeDeclined', 'pm_card_authenticationRequired'];

const secret = { client_secret: z.string() };
const confirmSchema = z.strictObject({ ...secret, payment_method: z.string() });
const authenticateSchema = z.strictObject({ ...secret, outcome: z.enum(['succeed', 'fail']) });

const hidden = (name: string, value: string) => html`<input type="hidden" name="${name}" value="${value}" />`;

const actions = ({ id, secret: value, status }: IntentRecord) =>
  status === 'succeeded' || status === 'canceled' || status === 'processing'
    ? html`<p>Nothing is to be done here.</p>`
    : html`${
          status === 'requires_action'
            ? html`<form method="post" action="/payments/${id}/authenticate">
                ${hidden('client_secret', value)}
                <button name="outcome" value="succeed">Approve</button>
                <button name="outcome" value="fail">Refuse</button>
              </form>`
            : ''
        }
        <form method="post" action="/payments/${id}/confirm">
          ${hidden('client_secret', value)}
          ${CARDS.map((card) => html`<button name="payment_method" value="${card}">Pay with ${card}</button> `)}
        </form>`;

const customerPage = (intent: IntentRecord) =>
  page(
    'Your payment',
    html`<p>
        ${displayAmount(intent.amount, intent.currency)}:
        ${intent.status}${intent.lastError ? html` (${intent.lastError.message})` : ''}
      </p>
      ${actions(intent)}`,
  );

/**
 * The shop's payment page in a browser: it has the publishable key and one intent's client secret, and may do what
 * Stripe.js may with them: see that intent, confirm it with a payment method, also again after a decline, and
 * authenticate it. As long as the tab is open.
 */
export const createCustomerPages = (deps: StripeDeps) => {
  const app = new Hono();
  const owned = (
    c: Context<object, '/payments/:id'>,
    given: string | undefined,
  ): IntentRecord | undefined => {
    const intent = intentById(deps, c.req.param('id'));
    return intent.secret === given ? intent : undefined;
  };
  const wrongSecret = (c: Context) => problem(c, 404, 'The client_secret is not of this payment intent');
  const inputOf = (c: Context, fromForm: boolean): Promise<unknown> =>
    fromForm ? c.req.parseBody() : jsonBody(c);
  const act =
    <Input extends { client_secret: string }>(
      schema: z.ZodType<Input>,
      run: (id: string, input: Input) => IntentRecord,
    ) =>
    async (c: Context<object, '/payments/:id'>) => {
      const fromForm = c.req.header('content-type')?.startsWith('application/x-www-form-urlencoded') ?? false;
      const parsed = schema.safeParse(await inputOf(c, fromForm));
      if (!parsed.success) return invalid(c, parsed.error);
      if (!owned(c, parsed.data.client_secret)) return wrongSecret(c);
      const intent = deps.store.transaction(() => run(c.req.param('id'), parsed.data));
      if (fromForm) return c.redirect(`/payments/${intent.id}?client_secret=${intent.secret}`, 303);
      return c.json({ id: intent.id, status: intent.status, last_payment_error: intent.lastError });
    };

  app.get('/payments/:id', (c) => {
    const given = c.req.query('client_secret');
    if (given === undefined) return c.redirect(`/payments#${c.req.param('id')}`);
    const intent = owned(c, given);
    return intent ? c.html(customerPage(intent)) : wrongSecret(c);
  });
  app.post(
    '/payments/:id/confirm',
    act(
      confirmSchema,
      (id, { payment_method }) => confirmIntent(deps, id, { payment_method }, BY_ITSELF).intent,
    ),
  );
  app.post(
    '/payments/:id/authenticate',
    act(authenticateSchema, (id, { outcome }) => authenticateIntent(deps, id, outcome, BY_ITSELF)),
  );
  app.onError((error, c) => {
    const reply = replyOf(error);
    if (!reply) throw error;
    return problem(c, reply.status === 404 ? 404 : 409, error.message);
  });
  return app;
};
