import type { FaultRule } from './faults/fault-rules.ts';

/** What the sandbox remembers. Times are sandbox milliseconds; amounts are in the provider's own units. */
export interface Records {
  intent: IntentRecord;
  charge: ChargeRecord;
  refund: RefundRecord;
  dispute: DisputeRecord;
  idempotency: IdempotencyRecord;
  webhook: WebhookRecord;
  address: AddressRecord;
  shipment: ShipmentRecord;
  mail: MailRecord;
  delivery: DeliveryRecord;
  partner: PartnerSettings;
  setting: SettingRecord;
}

type Metadata = Record<string, string>;

export type IntentStatus =
  | 'requires_payment_method'
  | 'requires_confirmation'
  | 'requires_action'
  | 'processing'
  | 'requires_capture'
  | 'canceled'
  | 'succeeded';

/** Stripe's error object, as it stands under `error` and in `last_payment_error`. */
export interface StripeErrorBody {
  type: string;
  code?: string;
  decline_code?: string;
  doc_url?: string;
  message: string;
  param?: string;
  [more: string]: unknown;
}

export interface IntentRecord {
  id: string;
  amount: number;
  currency: string;
  status: IntentStatus;
  createdMs: number;
  /** From here on the search finds it. */
  searchableMs: number;
  secret: string;
  paymentMethod: string | null;
  captureMethod: string;
  automaticMethods: { enabled: boolean; allow_redirects: string } | null;
  description: string | null;
  receiptEmail: string | null;
  statementSuffix: string | null;
  shipping: unknown;
  metadata: Metadata;
  amountReceived: number;
  amountCapturable: number;
  latestCharge: string | null;
  lastError: StripeErrorBody | null;
  returnUrl: string | null;
  /** What the running asynchronous payment will come to. */
  settlesAs: 'succeeded' | 'failed' | null;
  canceledMs: number | null;
  cancellationReason: string | null;
}

export interface ChargeRecord {
  id: string;
  intent: string;
  amount: number;
  captured: number;
  refunded: number;
  currency: string;
  status: 'succeeded' | 'failed' | 'pending';
  createdMs: number;
  paymentMethod: string;
  description: string | null;
  metadata: Metadata;
  failure: { code: string; message: string; declineCode: string | null } | null;
  disputed: boolean;
}

export interface RefundRecord {
  id: string;
  intent: string;
  charge: string;
  amount: number;
  currency: string;
  status: 'pending' | 'succeeded' | 'failed';
  reason: string | null;
  metadata: Metadata;
  createdMs: number;
  failureReason: string | null;
}

export interface DisputeRecord {
  id: string;
  charge: string;
  intent: string;
  amount: number;
  currency: string;
  reason: string;
  status: string;
  createdMs: number;
}

export interface IdempotencyRecord {
  endpoint: string;
  fingerprint: string;
  status: number;
  body: string;
  expiresMs: number;
}

export interface WebhookRecord {
  eventId: string;
  type: string;
  body: string;
  attempts: number;
  state: 'pending' | 'delivered' | 'given-up';
  lastAnswer: string | null;
}

export interface AddressFields {
  name: string | null;
  company: string | null;
  street1: string | null;
  street2: string | null;
  city: string | null;
  state: string | null;
  zip: string | null;
  country: string | null;
  phone: string | null;
  email: string | null;
}

export interface AddressRecord extends AddressFields {
  id: string;
  createdMs: number;
  residential: boolean | null;
  verification: { success: boolean; errors: AddressProblem[] } | null;
}

export interface AddressProblem {
  code: string;
  field: string;
  message: string;
  suggestion: null;
}

export interface RateRecord {
  id: string;
  carrier: string;
  service: string;
  rate: string;
  days: number;
}

export interface LabelRecord {
  id: string;
  trackerId: string;
  boughtMs: number;
  rateId: string;
  trackingCode: string;
}

export interface ShipmentRecord {
  id: string;
  reference: string | null;
  createdMs: number;
  updatedMs: number;
  to: AddressRecord;
  from: AddressRecord;
  parcel: Record<string, unknown> & { id: string };
  customs: unknown;
  options: unknown;
  rates: RateRecord[];
  /** When the rates were offered; at its creation where it was never rated again. */
  ratedMs?: number;
  messages: { carrier: string; type: string; message: string }[];
  label: LabelRecord | null;
  refund: { requestedMs: number; settlesMs: number; outcome: 'refunded' | 'rejected' } | null;
}

export interface MailRecord {
  id: string;
  receivedMs: number;
  from: string;
  to: string[];
  raw: string;
}

/** What a partner's endpoint received. */
interface DeliveryRecord {
  id: string;
  partner: string;
  receivedMs: number;
  headers: Record<string, string>;
  body: string;
  status: number;
}

export interface PartnerSettings {
  status: number;
  delayMs: number;
  retryAfter: string | null;
  location: string | null;
  body: string;
}

type SettingRecord = { clockOffsetMs: number } | { counts: Record<string, number> } | { rules: FaultRule[] };
