import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import type { WebhookEndpointId } from '../../domain/webhooks.ts';
import type { WebhookSecrets } from '../../ports/webhooks.ts';

/** Bytes of a signing secret, as Standard Webhooks recommends (24 to 64). */
const secretBytes = 24;
const ivBytes = 12;
const tagBytes = 16;
const version = 'v1';

/**
 * Signing secrets, sealed with AES-256-GCM under a key derived from `key` (HKDF-SHA-256). The endpoint's id is
 * authenticated with each, so a sealed secret that is copied to another endpoint opens no more.
 */
export function createWebhookSecrets({ key }: { key: string }): WebhookSecrets {
  const derived = Buffer.from(hkdfSync('sha256', key, '', 'order-saga webhook secrets', 32));
  return {
    create(endpointId) {
      const secret = `whsec_${randomBytes(secretBytes).toString('base64')}`;
      return { secret, sealed: seal(derived, endpointId, secret) };
    },
    open({ endpointId, sealed }) {
      try {
        return open(derived, endpointId, sealed);
      } catch (cause) {
        throw new Error(
          `The secret of webhook endpoint ${endpointId} cannot be opened: WEBHOOK_SECRET_KEY is not the key it was ` +
            'sealed with; set the former key again, or rotate the secret of this endpoint',
          { cause },
        );
      }
    },
  };
}

function seal(key: Buffer, endpointId: WebhookEndpointId, secret: string): string {
  const iv = randomBytes(ivBytes);
  const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(endpointId));
  const text = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()]);
  return `${version}.${Buffer.concat([iv, cipher.getAuthTag(), text]).toString('base64url')}`;
}

function open(key: Buffer, endpointId: WebhookEndpointId, sealed: string): string {
  const [format, encoded = ''] = sealed.split('.');
  if (format !== version) throw new Error(`expected a secret sealed as ${version}`);
  const bytes = Buffer.from(encoded, 'base64url');
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, ivBytes), {
    authTagLength: tagBytes,
  })
    .setAAD(Buffer.from(endpointId))
    .setAuthTag(bytes.subarray(ivBytes, ivBytes + tagBytes));
  return decipher.update(bytes.subarray(ivBytes + tagBytes), undefined, 'utf8') + decipher.final('utf8');
}
