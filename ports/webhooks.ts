import type { WebhookEndpointId } from '../domain/webhooks.ts';

/** Posts to a partner's address. Never rejects: whatever goes wrong is an answer. */
export interface WebhookSender {
  /**
   * One POST, at most 10 s from look-up to the answer's head, no redirect followed, at most 1 KiB (and 1 s) of the
   * answer's body read. Addresses that are not public are refused at the moment of connecting, unless configuration allows them.
   */
  post(request: { url: string; headers: Record<string, string>; body: string }): Promise<WebhookAnswer>;
}

export type WebhookAnswer =
  | {
      status: 'answered';
      httpStatus: number;
      /** What Retry-After asks for, from now. */
      retryAfterMs?: number;
      /** First bytes of the body as text. */
      body: string;
    }
  /** No answer: why, in one word of a fixed set, and what the network said. */
  | { status: 'failed'; reason: WebhookFailure; error: string };

/**
 * - `timeout`: no answer within 10 s.
 * - `target-refused`: the address is not one that webhooks may reach.
 * - `name-not-found`: the name has no address.
 * - `certificate`: the TLS certificate does not hold.
 * - `connection`: anything else of the network.
 */
export type WebhookFailure = 'timeout' | 'target-refused' | 'name-not-found' | 'certificate' | 'connection';

/** Which addresses may be registered. What a name leads to is judged when it is connected to, not here. */
export interface WebhookTargets {
  /** Why the URL cannot be an endpoint's; undefined when it can. */
  refusal(url: string): string | undefined;
}

/** Makes signing secrets and keeps them encrypted (AES-256-GCM), each bound to its endpoint. */
export interface WebhookSecrets {
  /** A new `whsec_…` secret of 24 random bytes (Standard Webhooks), to be shown once, and what to store. */
  create(endpointId: WebhookEndpointId): { secret: string; sealed: string };
  /** The secret. Throws when it was sealed with another key or for another endpoint. */
  open(input: { endpointId: WebhookEndpointId; sealed: string }): string;
}
