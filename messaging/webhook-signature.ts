import { createHmac } from 'node:crypto';

/** `whsec_` and the key in base64. */
const secretPrefix = 'whsec_';

/**
 * Headers of one attempt (Standard Webhooks): `webhook-id`, `webhook-timestamp` in whole seconds, and one
 * `v1,<base64 HMAC-SHA256>` over `id.timestamp.body` for each secret, the newest first, so that a partner can verify
 * with the old or the new one during a rotation.
 */
export function signedHeaders(input: {
  webhookId: string;
  body: string;
  nowUtc: string;
  secrets: readonly string[];
}): Record<string, string> {
  const { webhookId, body, nowUtc, secrets } = input;
  const timestamp = String(Math.floor(Date.parse(nowUtc) / 1_000));
  const text = `${webhookId}.${timestamp}.${body}`;
  return {
    'webhook-id': webhookId,
    'webhook-timestamp': timestamp,
    'webhook-signature': secrets.map((secret) => `v1,${signatureOf(text, secret)}`).join(' '),
  };
}

function signatureOf(text: string, secret: string): string {
  const key = Buffer.from(secret.slice(secretPrefix.length), 'base64');
  return createHmac('sha256', key).update(text).digest('base64');
}
