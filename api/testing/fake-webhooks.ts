import { randomBytes } from 'node:crypto';
import type { WebhookAttempt, WebhookEndpoint, WebhookEndpointId } from '../../domain/webhooks.ts';
import type { WebhookReads, WebhookStatements } from '../../ports/store/messages.ts';

/** Endpoints and attempts kept in memory, as both sides of the port see them. */
export function fakeWebhooks() {
  const endpoints = new Map<WebhookEndpointId, WebhookEndpoint>();
  const attempts: WebhookAttempt[] = [];
  const reads: WebhookReads = {
    find: async (id) => endpoints.get(id),
    list: async () => [...endpoints.values()],
    subscribers: async (type) =>
      [...endpoints.values()]
        .filter(({ state, events }) => state === 'enabled' && events.includes(type))
        .map(({ endpointId }) => endpointId),
    delivered: async (id) =>
      attempts.some(({ webhookId, result }) => webhookId === id && result === 'delivered'),
    attempts: async ({ endpointId, before = Infinity, limit }) =>
      attempts
        .map((attempt, index) => ({ ...attempt, position: index + 1 }))
        .filter((attempt) => attempt.endpointId === endpointId && attempt.position < before)
        .toReversed()
        .slice(0, limit),
    counts: async () => ({ enabled: 0, disabled: 0 }),
  };
  const statements: WebhookStatements = {
    find: async (id) => endpoints.get(id),
    put: async (endpoint) => void endpoints.set(endpoint.endpointId, endpoint),
    remove: async (id) => endpoints.delete(id),
    record: async (attempt) => void attempts.push(attempt),
    purge: async () => 0,
  };
  /** Secrets are sealed as base64 of their text; public https is taken. */
  const parts = {
    targets: { refusal: (url: string) => (url.startsWith('https://') ? undefined : 'expected https') },
    secrets: {
      create: () => {
        const secret = `whsec_${randomBytes(24).toString('base64')}`;
        return { secret, sealed: btoa(secret) };
      },
      open: ({ sealed }: { sealed: string }) => atob(sealed),
    },
  };
  return { endpoints, attempts, reads, statements, parts };
}
