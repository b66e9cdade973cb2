import type { PaymentSubject, RefundAnswer, RequestRefund } from '../domain/refunds.ts';

/** Refunds and the provider's notices as the API sees them. Every method rejects with TemporalUnavailable when Temporal is away. */
export interface RefundWorkflows {
  /**
   * Starts the refund; it goes on whatever becomes of this process. A second one of the same id is not started: then the
   * fingerprint of the first tells whether it was the same request. One that was merely refused is judged again, whatever
   * it asks for. At most 4 s.
   */
  start(refund: RequestRefund): Promise<{ status: 'started' } | { status: 'exists'; fingerprint: string }>;
  /** Its end; undefined when it has not ended within `waitMs`. */
  end(refund: Pick<RequestRefund, 'orderId' | 'refundId'>, waitMs: number): Promise<RefundAnswer | undefined>;
  /** Has the provider asked about what a notice names, without end. Once per event. At most 1.4 s. */
  follow(notice: { eventId: string; subject: PaymentSubject }): Promise<void>;
}
