import { isFailureType, type FailureType } from './failures.ts';

/** Why an order ended without shipping, for its customer: no ids, no words of shops, providers or of this product. */
const sentences: Record<FailureType, string> = {
  OutOfStock: 'There is not enough in stock of what you ordered.',
  UnknownProduct: 'Something that you ordered is not sold here.',
  ProductWithdrawn: 'Something that you ordered is not sold any more.',
  ParcelTooLarge: 'The order is too heavy or too large to be sent as one parcel. You can order less at once.',
  CustomsIncomplete:
    'The order goes through customs, and something that the papers need is missing. It may be the recipient’s phone number.',
  PriceChanged: 'The price has changed since it was shown to you.',
  AmountNotPayable: 'The total is less or more than can be paid at once.',
  CardDeclined: 'The payment was declined.',
  CustomerActionRequired: 'The payment was not confirmed with your bank.',
  AddressUndeliverable: 'The carrier does not deliver to the address.',
  ApprovalMissing: 'The order was not approved in time.',
  PaymentDisputed: 'Your bank disputes the payment.',
  PaymentRefunded: 'The payment went back to you before anything was sent.',
  KeyReused: 'It was placed together with another order of yours that differs from it.',
  OrderClosed: 'It had ended before.',
  OperationCompensated: 'It was taken back.',
};

/** The sentence of a failure; undefined for a type that only a newer release knows. */
export const customerSentence = (type: string): string | undefined =>
  isFailureType(type) ? sentences[type] : undefined;
