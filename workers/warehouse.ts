import type { Address } from '../domain/order.ts';

/** Where parcels leave from. */
export const warehouse: Address = {
  name: 'Order Saga Warehouse',
  street1: '417 Montgomery Street',
  city: 'San Francisco',
  state: 'CA',
  postalCode: '94104',
  country: 'US',
};
