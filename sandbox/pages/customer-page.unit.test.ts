import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startSandbox, type Sandbox } from '../start-sandbox.ts';

describe('the customer’s own page of a payment', () => {
  let sandbox: Sandbox;
  beforeAll(async () => {
    sandbox = await startSandbox({ settings: { webhookTarget: null } });
  });
  afterAll(() => sandbox.close());

  const stripe = async (path: string, params: Record<string, string> = {}) => {
    const response = await fetch(`${sandbox.url}/v1/payment_intents${path}`, {
      method: 'POST',
      headers: { authorization: 'Bearer sk_test_sandbox' },
      body: new URLSearchParams(params),
    });
    return (await response.json()) as { id: string; client_secret: string };
  };
  const declined = async () => {
    const intent = await stripe('', {
      amount: '1000',
      currency: 'inr',
      payment_method: 'pm_card_chargeDeclined',
      'automatic_payment_methods[enabled]': 'true',
      'automatic_payment_methods[allow_redirects]': 'never',
    });
    await stripe(`/${intent.id}/confirm`);
    return intent;
  };
  const post = (path: string, body: object) =>
    fetch(`${sandbox.url}/payments/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });

  it('pays a declined intent with another card, and shows what it has come to', async () => {
    const { id, client_secret } = await declined();
    const url = `${sandbox.url}/payments/${id}?client_secret=${client_secret}`;
    expect(await (await fetch(url)).text()).toMatch(
      /requires_payment_method.*declined[\s\S]*Pay with pm_card_visa/,
    );
    const paid = await post(`${id}/confirm`, { client_secret, payment_method: 'pm_card_visa' });
    expect(await paid.json()).toMatchObject({ id, status: 'succeeded' });
    expect(await (await fetch(url)).text()).toMatch(/succeeded/);
    const again = await post(`${id}/confirm`, { client_secret, payment_method: 'pm_card_visa' });
    expect(again.status).toBe(409);
  });

  it('authenticates the payment that asks for it', async () => {
    const { id, client_secret } = await declined();
    const asks = { client_secret, payment_method: 'pm_card_authenticationRequired' };
    expect(await (await post(`${id}/confirm`, asks)).json()).toMatchObject({ status: 'requires_action' });
    const passed = await post(`${id}/authenticate`, { client_secret, outcome: 'succeed' });
    expect(await passed.json()).toMatchObject({ status: 'succeeded' });
  });

  it('is nobody’s without the client secret, and pays nothing that is canceled', async () => {
    const { id, client_secret } = await declined();
    const other = await declined();
    const stolen = { client_secret: other.client_secret, payment_method: 'pm_card_visa' };
    expect((await post(`${id}/confirm`, stolen)).status).toBe(404);
    expect((await fetch(`${sandbox.url}/payments/${id}?client_secret=no`)).status).toBe(404);
    await stripe(`/${id}/cancel`);
    const late = await post(`${id}/confirm`, { client_secret, payment_method: 'pm_card_visa' });
    expect(late.status).toBe(409);
  });
});
