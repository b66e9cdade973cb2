import { expect, it } from 'vitest';
import { createWebhookSecrets } from './webhook-secrets.ts';

const one = `we_${'1'.repeat(32)}` as const;
const two = `we_${'2'.repeat(32)}` as const;
const secrets = createWebhookSecrets({ key: 'a-key-of-32-characters-for-tests' });

it('makes secrets as Standard Webhooks has them, each another, and opens what it sealed', () => {
  const made = [secrets.create(one), secrets.create(one)];
  for (const { secret, sealed } of made) {
    expect(secret).toMatch(/^whsec_/);
    expect(Buffer.from(secret.slice(6), 'base64')).toHaveLength(24);
    expect(sealed).not.toContain(secret.slice(6));
    expect(secrets.open({ endpointId: one, sealed })).toBe(secret);
  }
  expect(made[0]?.secret).not.toBe(made[1]?.secret);
});

it('opens nothing with another key, for another endpoint or after a change, and says what to do', () => {
  const { sealed } = secrets.create(one);
  const other = createWebhookSecrets({ key: 'another-key-of-32-characters-too' });
  const changed = `${sealed.slice(0, -2)}${sealed.endsWith('AA') ? 'BB' : 'AA'}`;
  const attempts = [
    () => other.open({ endpointId: one, sealed }),
    () => secrets.open({ endpointId: two, sealed }),
    () => secrets.open({ endpointId: one, sealed: changed }),
    () => secrets.open({ endpointId: one, sealed: sealed.replace('v1', 'v2') }),
    () => secrets.open({ endpointId: one, sealed: '' }),
  ];
  for (const open of attempts) expect(open).toThrow(/WEBHOOK_SECRET_KEY.*rotate the secret/);
});
